"""The signatures of keepers: small images that prove a thumbnail dissimilar without it (`indexer.imaging.signatures`).

They are made from thumbnails when a comparison has decoded them, and go with them. One may be missing: then the
thumbnail is read.
"""

from collections.abc import Mapping, Sequence

from sqlalchemy import select
from sqlalchemy.orm import Session

from indexer.store.bulk import bulk_insert, chunks
from indexer.store.tables import SignatureRow


def load_signatures(session: Session, image_ids: Sequence[int], *, preparation_id: int) -> dict[int, bytes]:
    """The stored signature of each image in this preparation, by image id; images without one are left out."""
    query = select(SignatureRow.image_id, SignatureRow.data).where(SignatureRow.preparation_id == preparation_id)
    results = (session.execute(query.where(SignatureRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    return {row.image_id: row.data for rows in results for row in rows}


def list_without_signature(session: Session, image_ids: Sequence[int], *, preparation_id: int) -> list[int]:
    """Those of these images that have no stored signature in this preparation."""
    query = select(SignatureRow.image_id).where(SignatureRow.preparation_id == preparation_id)
    results = (session.scalars(query.where(SignatureRow.image_id.in_(chunk))) for chunk in chunks(image_ids))
    stored = {image_id for ids in results for image_id in ids}
    return [image_id for image_id in image_ids if image_id not in stored]


def add_signatures(session: Session, signatures: Mapping[int, bytes], *, preparation_id: int) -> None:
    """Adds signatures by image id, of images that have a thumbnail in this preparation and no signature."""
    rows = [
        {"image_id": image_id, "preparation_id": preparation_id, "data": data} for image_id, data in signatures.items()
    ]
    if rows:
        session.execute(bulk_insert(SignatureRow), rows)
