"""Ends what a launcher that was killed has left."""

import contextlib
import logging
from collections.abc import Mapping

import psutil

from launcher.process_tree import end_left_behind
from launcher.record import RecordFile

log = logging.getLogger(__name__)

_ORDERLY_END_S = 10.0


def end_what_is_left(records: Mapping[str, RecordFile], *, first: str) -> None:
    """Ends the services of these names. Blocks.

    The `first` one has noticed that we were gone, and gets some seconds to end in order: it would
    else see the others fail under its running job.
    """
    for name in sorted(records, key=lambda name: name != first):
        file = records[name]
        record = file.read()
        process = record.process() if record is not None else None
        if name == first and process is not None:
            with contextlib.suppress(psutil.Error):
                process.wait(_ORDERLY_END_S)
        if end_left_behind(record, file.mark):
            log.warning("%s of a launcher that was killed was still there, and was ended", name)
        if record is None or record.process() is None:
            file.remove()
