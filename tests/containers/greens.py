"""The next models of a compose project, and the containers that run them: for tests in which green goes wrong.

A candidate comes as pull would bring it: as files on the volume. It is a copy of the champion under a newer version.
"""

from __future__ import annotations

import json
import os
import shutil
import time
from datetime import UTC, datetime
from pathlib import Path

from contract.data_folder import DataFolder
from contract.manifest import MANIFEST, REFERENCE
from serving.slots.slot_files import SlotFiles
from tests.containers.compose_project import PIPELINE, Project, wait_for
from tests.serving.slots_host import order_run_for


class Greens:
    """`scratch`: a folder of ours, which is made to look like the data folder of the containers."""

    def __init__(self, project: Project, scratch: Path) -> None:
        (scratch / "onprem").symlink_to(project.volume("onprem"))
        self._project, self._folder = project, DataFolder(scratch)
        self._candidates = self._folder.of_pipeline(PIPELINE) / "candidates"

    def copy_of(self, champion: str) -> str:
        """A new candidate; its version."""
        time.sleep(1.1)  # a version is a second
        version = f"{PIPELINE}-{datetime.now(UTC):%Y%m%dT%H%M%SZ}"
        source, target = self._candidates / champion, self._candidates / version
        shutil.copytree(source, target, ignore=shutil.ignore_patterns(MANIFEST))
        manifest = json.loads((source / MANIFEST).read_bytes()) | {"version": version, "proposed": True}
        part = target / "manifest.part"
        part.write_text(json.dumps(manifest))
        owner = source.stat()
        for path in (target, *target.iterdir()):
            os.chown(path, owner.st_uid, owner.st_gid)
        part.rename(target / MANIFEST)
        return version

    def spoil_golden_request(self, version: str) -> None:
        """The reference says another probability than H2O gave."""
        reference = self._candidates / version / REFERENCE
        rows = [json.loads(line) for line in reference.read_text(encoding="utf-8").splitlines()]
        rows[7]["probability"] = abs(rows[7]["probability"] - 0.25)
        reference.write_text("".join(json.dumps(row) + "\n" for row in rows), encoding="utf-8")

    def is_run(self, version: str) -> bool:
        return order_run_for(version, SlotFiles(self._folder)) is not None

    def container_of(self, version: str) -> str:
        """The container that runs a version, as soon as there is one."""
        wait_for(lambda: self.is_run(version), 120, f"a slot runs {version}", 0.005)
        order = order_run_for(version, SlotFiles(self._folder))
        assert order
        report = json.loads(self._folder.slot_report(order.slot).read_bytes())
        found = self._project.containers().items()
        return next(name for name, told in found if told["Id"].startswith(report["host"]))

    def scorer_pid(self, version: str) -> int:
        """Here, of the process that answers: the only child of the slot's."""
        slot = self._project.containers()[self.container_of(version)]["State"]["Pid"]
        children = Path(f"/proc/{slot}/task/{slot}/children")
        wait_for(lambda: children.read_text().split(), 60, f"the scorer of {version} is started", 0.005)
        return int(children.read_text().split()[0])
