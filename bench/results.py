"""What a run found: slots by cell, medians, and the JSON file."""

import json
import statistics
from typing import Dict, List, Optional

from server import Slot


class Results:
    def __init__(self) -> None:
        self.environment: Dict[str, object] = {}
        self.slots: Dict[str, Dict[str, List[Slot]]] = {}  # cell -> contestant -> its slots
        self.unit: Dict[str, int] = {}  # cell -> postings in a transaction
        self.facts: Dict[str, object] = {}  # figures that are not of slots
        self.notes: List[str] = []

    def add(self, cell: str, contestant: str, slot: Slot, unit: int = 1) -> None:
        self.slots.setdefault(cell, {}).setdefault(contestant, []).append(slot)
        self.unit[cell] = unit

    def note(self, text: str) -> None:
        if text not in self.notes:
            self.notes.append(text)

    def median(self, cell: str, contestant: str, what: str = "rate") -> Optional[float]:
        """Of a transaction's figure; a rate is in postings a second."""
        slots = self.slots.get(cell, {}).get(contestant)
        if not slots:
            return None
        value = statistics.median(getattr(slot, what) for slot in slots)
        return value * self.unit[cell] if what == "rate" else value

    def spread(self, cell: str, contestant: str) -> Optional[float]:
        """(fastest - slowest) / median of a cell's rounds."""
        slots = self.slots.get(cell, {}).get(contestant, [])
        if len(slots) < 2:
            return None
        rates = [slot.rate for slot in slots]
        return (max(rates) - min(rates)) / statistics.median(rates) if statistics.median(rates) else None

    def ratio(self, cell: str, contestant: str, other: str, other_cell: Optional[str] = None) -> Optional[float]:
        mine, theirs = self.median(cell, contestant), self.median(other_cell or cell, other)
        return mine / theirs if mine and theirs else None

    def save(self, path, targets) -> None:
        cells = {
            cell: {contestant: {"postings_per_second": self.median(cell, contestant),
                                "p50_ms": self.median(cell, contestant, "p50_ms"),
                                "p99_ms": self.median(cell, contestant, "p99_ms"),
                                "wal_bytes_per_posting": (self.median(cell, contestant, "wal_bytes") or 0) / self.unit[cell],
                                "rounds": [slot.as_dict() for slot in slots]}
                   for contestant, slots in contestants.items()}
            for cell, contestants in self.slots.items()}
        path.write_text(json.dumps({"environment": self.environment, "targets": targets, "cells": cells,
                                    "facts": self.facts, "notes": self.notes}, indent=1) + "\n", encoding="utf-8")
