"""The routes: which request calls which method of the service, and how its answer is sent.

Methods of the service run in threads, so that a slow one keeps no other page waiting.
"""

import json
from collections.abc import Callable
from http import HTTPStatus
from typing import Any

from anyio import CapacityLimiter, to_thread
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import HTMLResponse, JSONResponse, PlainTextResponse, Response, StreamingResponse
from starlette.routing import Route

from indexer.errors import CameraError, IndexerError
from indexer.escaping import printable
from indexer.web.rendering import read_server_assets, render_enter, render_problem
from indexer.web.server.events import Broadcast
from indexer.web.server.guard import AccessRules, GuardedApplication
from indexer.web.server.service import Json, Picture, ReviewService

_MEDIA_TYPES = {".css": "text/css; charset=utf-8", ".js": "text/javascript; charset=utf-8"}
_IMMUTABLE = {"Cache-Control": "private, max-age=86400, immutable"}
_THREADS = {"pairs": 3, "records": 2, "alone": 2, "files": 2, "status": 1}
"""Threads for each kind of work; each may use a connection to the database. So a disk that hangs takes the threads that
read files, a camera that is decided those of pins and areas, very many verdicts that of the progress, and verdicts are
still recorded."""
_COOKIE_AGE_S = 30 * 24 * 3600


class _Routes:
    """The handlers of all requests."""

    def __init__(
        self,
        service: ReviewService,
        rules: AccessRules,
        events: Broadcast,
        *,
        refused: Callable[[str], None],
        read_only: bool,
    ) -> None:
        self._service, self._rules, self._events = service, rules, events
        self._refused, self._read_only = refused, read_only
        self._assets = read_server_assets()
        self._limiters = dict[str, CapacityLimiter]()

    def list_routes(self) -> list[Route]:
        """All routes."""
        service = self._service
        reading = {
            "/ahead": service.ahead,
            "/leave": service.leave,
            "/pairs": service.pairs,
            "/alike": service.alike,
            "/area/try": service.try_area,
        }
        writing = {
            "/verdict": service.change,
            "/pin": service.pin,
            "/area/save": service.save_area,
            "/area/undo": service.undo_area,
        }
        return [
            Route("/", self._page),
            Route("/enter", self._enter_page),
            Route("/enter", self._enter, methods=["POST"]),
            Route("/camera/{camera_id:int}", self._area_page),
            Route("/status", self._status),
            Route("/events", self._listen),
            Route("/native/{image_id:int}/{content_hash}", self._native),
            Route("/{kind}/{folder}/{file}", self._picture),
            *(Route(f"/{name}", self._asset) for name in self._assets),
            *(Route(path, self._action("pairs", method), methods=["POST"]) for path, method in reading.items()),
            *(
                Route(
                    path,
                    self._refuse_writing if self._read_only else self._action(_kind_of(path), method),
                    methods=["POST"],
                )
                for path, method in writing.items()
            ),
        ]

    async def _call(self, kind: str, method: Callable[..., Any], *arguments: Any) -> Any:
        if kind not in self._limiters:  # they are made in the event loop
            self._limiters[kind] = CapacityLimiter(_THREADS[kind])
        return await to_thread.run_sync(method, *arguments, limiter=self._limiters[kind])

    async def _page(self, _request: Request) -> Response:
        return HTMLResponse(await self._call("pairs", self._service.page))

    async def _area_page(self, request: Request) -> Response:
        return HTMLResponse(await self._call("pairs", self._service.area_page, request.path_params["camera_id"]))

    async def _status(self, _request: Request) -> Response:
        return JSONResponse(await self._call("status", self._service.status))

    async def _enter_page(self, _request: Request) -> Response:
        return HTMLResponse(render_enter())

    async def _enter(self, request: Request) -> Response:
        token = (await _read_object(request)).get("token")
        if not isinstance(token, str) or not self._rules.is_token(token):
            self._refused("refused '/enter': a wrong token")
            return PlainTextResponse("the token is wrong; open the address that the terminal shows", status_code=401)
        response = JSONResponse({})
        response.set_cookie(
            self._rules.cookie_name,
            self._rules.cookie,
            max_age=_COOKIE_AGE_S,
            path="/",
            httponly=True,
            samesite="strict",
        )
        return response

    async def _asset(self, request: Request) -> Response:
        name = request.url.path[1:]
        return Response(self._assets[name], media_type=_MEDIA_TYPES[name[name.rindex(".") :]])

    async def _picture(self, request: Request) -> Response:
        return _picture_response(self._service.picture(request.url.path[1:]))  # it is in memory

    async def _native(self, request: Request) -> Response:
        asked = request.path_params
        picture = await self._call("files", self._service.native, asked["image_id"], asked["content_hash"])
        return _picture_response(picture)

    async def _listen(self, _request: Request) -> Response:
        return StreamingResponse(self._events.listen(), media_type="text/event-stream")

    def _action(self, kind: str, method: Callable[[Json], Json]) -> Callable[[Request], Any]:
        """The handler of a request that brings a JSON object and gets one."""

        async def handle(request: Request) -> Response:
            return JSONResponse(await self._call(kind, method, await _read_object(request)))

        return handle

    async def _refuse_writing(self, _request: Request) -> Response:
        return JSONResponse({"error": "this server was started with --read-only"}, status_code=403)


def make_application(
    service: ReviewService,
    rules: AccessRules,
    events: Broadcast,
    *,
    refused: Callable[[str], None],
    passed: Callable[[], None],
    failed: Callable[[Exception], None],
    read_only: bool,
) -> GuardedApplication:
    """The ASGI application of a server, behind its guard.

    `refused` is called with a line for each refusal, `passed` for each request that passes the guard, `failed` with an
    exception that nobody expected.
    """
    routes = _Routes(service, rules, events, refused=refused, read_only=read_only).list_routes()
    handlers: dict[Any, Any] = {
        HTTPException: _answer_http_error,
        IndexerError: _answer_known_error,
        ClientDisconnect: _answer_nothing,
        Exception: _answer_unexpected(failed),
    }
    application = Starlette(routes=routes, exception_handlers=handlers)
    return GuardedApplication(application, rules, refused=refused, passed=passed)


async def _read_object(request: Request) -> Json:
    """The JSON object in a body; raises `HTTPException` if it is none."""
    try:
        value = json.loads(await request.body())
    except (ValueError, RecursionError):
        raise HTTPException(400, "the body is no JSON") from None
    if not isinstance(value, dict):
        raise HTTPException(400, "the body is no JSON object")
    return value


def _picture_response(picture: Picture | None) -> Response:
    if picture is None:
        return PlainTextResponse("no such picture", status_code=404)
    return Response(picture.data, media_type=picture.media_type, headers=_IMMUTABLE)


async def _answer_http_error(request: Request, problem: HTTPException) -> Response:
    text = "there is no such page" if problem.status_code == HTTPStatus.NOT_FOUND else problem.detail
    return _problem_response(request, text, status=problem.status_code)


async def _answer_known_error(request: Request, problem: IndexerError) -> Response:
    status = 404 if isinstance(problem, CameraError) else 409
    return _problem_response(request, printable(str(problem)), status=status)


def _problem_response(request: Request, problem: str, *, status: int) -> Response:
    """A page for a person who opened an address, JSON for a script."""
    if request.method in {"GET", "HEAD"} and "text/html" in request.headers.get("accept", ""):
        return HTMLResponse(render_problem(f"{problem[:1].upper()}{problem[1:]}."), status_code=status)
    return JSONResponse({"error": problem}, status_code=status)


def _answer_unexpected(failed: Callable[[Exception], None]) -> Callable[[Request, Exception], Any]:
    async def answer(request: Request, problem: Exception) -> Response:
        failed(problem)
        return _problem_response(request, "something unexpected happened; the terminal says what", status=500)

    return answer


async def _answer_nothing(_request: Request, _problem: Exception) -> Response:
    return Response(status_code=400)


def _kind_of(path: str) -> str:
    """The threads for a route that writes: a verdict never waits for a camera that is decided."""
    return "records" if path == "/verdict" else "alone"
