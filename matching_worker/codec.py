"""What a book reads: from its command stream, from its links, and from its cancels."""

from apps.journals.codec import Codec
from apps.journals.contracts import RuntimeCommand
from matching_worker.contracts.to_book import BookCancel, BookCommand, LinkMessage

BOOK_CODEC = Codec(commands=BookCommand | RuntimeCommand, links=LinkMessage, cancels=BookCancel)
