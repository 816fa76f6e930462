"""A real RTSP server with moving pictures, run by the Python of the system, which has GStreamer's bindings.

It prints its port and serves until it is ended.
"""

import argparse
import ctypes
import signal
import sys

import gi

gi.require_version("Gst", "1.0")
gi.require_version("GstRtsp", "1.0")
gi.require_version("GstRtspServer", "1.0")
from gi.repository import Gio, GLib, Gst, GstRtsp, GstRtspServer  # noqa: E402

_PR_SET_PDEATHSIG = 1


def main() -> None:
    """Serves until the test that started it ends, however it does."""
    ctypes.CDLL(None).prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)
    Gst.init(None)
    words = _words()
    server = GstRtspServer.RTSPServer.new()
    server.set_address("127.0.0.1")
    server.set_service(words.port)
    if words.password:
        user, _, secret = words.password.partition(":")
        auth = GstRtspServer.RTSPAuth.new()
        token = GstRtspServer.RTSPToken.new()
        token.set_string("media.factory.role", "user")
        auth.set_supported_methods(GstRtsp.RTSPAuthMethod.DIGEST)
        auth.add_digest(user, secret, token)
        if words.certificate:
            auth.set_tls_certificate(Gio.TlsCertificate.new_from_file(words.certificate))
        server.set_auth(auth)
    for text in words.streams:
        name, _, pipeline = text.partition("=")
        factory = GstRtspServer.RTSPMediaFactory.new()
        factory.set_launch(f"( {pipeline} )")
        factory.set_shared(True)
        if words.password:
            permissions = GstRtspServer.RTSPPermissions.new()
            permissions.add_permission_for_role("user", "media.factory.access", True)
            permissions.add_permission_for_role("user", "media.factory.construct", True)
            factory.set_permissions(permissions)
        server.get_mount_points().add_factory(f"/{name}", factory)
    if not server.attach(None):
        sys.exit("the port is in use")
    print(server.get_bound_port(), flush=True)  # noqa: T201
    GLib.MainLoop().run()


def _words() -> argparse.Namespace:
    parser = argparse.ArgumentParser()
    parser.add_argument("port", help="0: a free one")
    parser.add_argument("streams", nargs="+", metavar="NAME=PIPELINE")
    parser.add_argument("--password", metavar="USER:PASSWORD")
    parser.add_argument("--certificate", metavar="FILE", help="with its key; then only rtsps is served")
    return parser.parse_args()


if __name__ == "__main__":
    main()
