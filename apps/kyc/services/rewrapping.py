"""What identity checks keep under the key of keys, for its change (`users.services.rewrapping`)."""

from __future__ import annotations

from apps.kyc import sealed
from apps.kyc.models import Answer, Document
from apps.users.services.rewrapping import Column

COLUMNS = (
    Column(
        "kyc.Answer.sealed",
        lambda: Answer.objects.select_related("application"),
        "sealed",
        lambda row: sealed.answer_name(str(row.application.public_id), row.question),
    ),
    Column(
        "kyc.Document.wrapped_key",
        Document.objects.all,
        "wrapped_key",
        lambda row: sealed.document_name(str(row.public_id)),
    ),
)


def keep_index_key() -> None:
    """Keep the key of blind indexes, as it is, whatever becomes of the key of keys."""
    sealed.index_key()
