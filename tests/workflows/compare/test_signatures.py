"""Signatures are stored beside thumbnails, and go with them."""

from indexer.store import signatures, thumbnails
from tests.support.index import Index, name, picture


def test_a_signature_goes_with_its_thumbnail(index: Index) -> None:
    """What was added is loaded, and is gone with the thumbnail that it was made from."""
    for minute in range(3):
        index.put(name(minute), picture(stamp=minute))
    index.ingest()
    first, second, third = (image_id for (image_id,) in index.rows("SELECT id FROM images ORDER BY id"))
    ids = [first, second, third]
    with index.database.write() as session:
        signatures.add_signatures(session, {first: b"1", third: b"3"}, preparation_id=1)
    with index.database.read() as session:
        assert signatures.load_signatures(session, ids, preparation_id=1) == {first: b"1", third: b"3"}
        assert signatures.load_signatures(session, ids, preparation_id=2) == {}
        assert signatures.list_without_signature(session, ids, preparation_id=1) == [second]
        assert signatures.list_without_signature(session, ids, preparation_id=2) == ids
    with index.database.write() as session:
        thumbnails.drop_thumbnails(session, [first, second], preparation_id=1)
    assert index.rows("SELECT image_id, data FROM signatures") == [(third, b"3")]
