"""The risk engine: pure code that admits orders, holds value, and books what the books say."""

from apps.risk.engine.machine import RiskMachine

__all__ = ["RiskMachine"]
