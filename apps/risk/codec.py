"""What a risk partition reads: from its command stream, and from its links."""

from apps.journals.contracts import RuntimeCommand
from apps.journals.replica import Codec
from apps.risk.contracts.commands import PartitionMessage, RiskCommand
from matching_worker.contracts.from_book import ReportMessage

RISK_CODEC = Codec(commands=RiskCommand | RuntimeCommand, links=ReportMessage | PartitionMessage)
