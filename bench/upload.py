"""A disc through the senders' portal, beside the same files posted straight to Orthanc; both over six connections, on this machine.

`python -m bench.upload [--megabytes 1000]`. Orthanc is posted to one file a request, as its own tools do. The portal is sent what the senders'
page sends: pieces of many files in bodies of up to 8 MB, each with its hash, answered when it is flushed and recorded. Workers' memory is
looked at all the while.
"""

from __future__ import annotations

import argparse
import base64
import hashlib
import http.client
import json
import os
import secrets
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import urllib.parse
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path

import yaml
from pydicom.dataset import Dataset, FileMetaDataset
from pydicom.uid import CTImageStorage, ExplicitVRLittleEndian, generate_uid

from smart_app import config_file
from smart_app.links.types import Purpose
from smart_app.parts import build
from tests import peers

CONNECTIONS = 6
BODY = 8_000_000
PIECES = 100
ROWS = 512
WORKERS = 2


def disc(folder: Path, megabytes: int) -> list[Path]:
    """CT images of half a megabyte, none like another."""
    study, series, files = generate_uid(), generate_uid(), []
    for number in range(1, megabytes * 1_000_000 // (ROWS * ROWS * 2) + 1):
        ds = Dataset()
        ds.PatientName, ds.PatientID, ds.PatientBirthDate = "BENCH^DISC", "B-1", "19510809"
        ds.StudyInstanceUID, ds.SeriesInstanceUID, ds.SOPInstanceUID, ds.SOPClassUID = study, series, generate_uid(), CTImageStorage
        ds.Modality, ds.StudyDate, ds.InstanceNumber = "CT", "20260521", number
        ds.Rows = ds.Columns = ROWS
        ds.BitsAllocated, ds.BitsStored, ds.HighBit, ds.PixelRepresentation, ds.SamplesPerPixel = 16, 16, 15, 0, 1
        ds.PhotometricInterpretation, ds.PixelData = "MONOCHROME2", os.urandom(ROWS * ROWS * 2)
        ds.file_meta = FileMetaDataset()
        ds.file_meta.TransferSyntaxUID = ExplicitVRLittleEndian
        files.append(folder / f"IM{number:05}")
        ds.save_as(files[-1], enforce_file_format=True)
    return files


def over_connections(port: int, tasks: list[Callable[[http.client.HTTPConnection], None]]) -> float:
    """Seconds until all tasks are done, each on one of six connections that stay open."""
    queue, lock = iter(tasks), threading.Lock()

    def work() -> None:
        connection = http.client.HTTPConnection("127.0.0.1", port, timeout=120)
        while True:
            with lock:
                task = next(queue, None)
            if task is None:
                connection.close()
                return
            task(connection)

    began = time.perf_counter()
    with ThreadPoolExecutor(CONNECTIONS) as pool:
        for done in [pool.submit(work) for _ in range(CONNECTIONS)]:
            done.result()
    return time.perf_counter() - began


def to_orthanc(files: list[Path]) -> float:
    with peers.orthanc() as url:
        port = urllib.parse.urlsplit(url).port or 0

        def post(path: Path) -> Callable[[http.client.HTTPConnection], None]:
            def task(connection: http.client.HTTPConnection) -> None:
                connection.request("POST", "/instances", path.read_bytes(), {"Content-Type": "application/dicom"})
                answer = connection.getresponse()
                assert answer.status == 200, answer.read()
                answer.read()

            return task

        return over_connections(port, [post(path) for path in files])


class Portal:
    """Priors under gunicorn, with one link that was shown to be ours."""

    def __init__(self, folder: Path) -> None:
        self.port = peers.free_port()
        os.environ["BENCH_KEY"] = base64.urlsafe_b64encode(secrets.token_bytes(32)).decode()
        self.file = folder / "priors.yaml"
        ehr = {"key": "northgate", "name": "Northgate", "issuer": "http://127.0.0.1:9/fhir", "client_id": "c", "allow_http": True}
        origins = {"public_url": f"http://app.localhost:{self.port}", "portal_url": f"http://send.localhost:{self.port}"}
        self.file.write_text(yaml.safe_dump({**origins, "development": True, "data_dir": str(folder / "data"), "sealing_keys": [{"id": "k", "env": "BENCH_KEY"}], "ehrs": [ehr]}))
        self.parts = build(config_file.load(self.file, dict(os.environ)))
        with self.parts.database.transaction() as session:
            link = self.parts.links.issue(session, Purpose.OFFERED, None)
        self.path, self.code, self.cookie = f"/s/{self.parts.links.token(link)}", self.parts.links.code(link), ""

    @contextmanager
    def serving(self) -> Iterator[int]:
        command = [str(Path(sys.executable).with_name("priors")), "serve", "--bind", f"127.0.0.1:{self.port}", "--workers", str(WORKERS), "--threads", "24"]
        process = subprocess.Popen(command, env={**os.environ, "PRIORS_CONFIG": str(self.file)}, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        try:
            peers.wait_until(lambda: peers.answers(f"http://127.0.0.1:{self.port}/healthz"), "Priors")
            yield process.pid
        finally:
            peers.stop(process)

    def ask(self, connection: http.client.HTTPConnection, path: str, body: bytes, kind: str = "application/json") -> tuple[int, bytes, str]:
        origin = f"http://send.localhost:{self.port}"
        headers = {"Host": f"send.localhost:{self.port}", "Origin": origin, "Sec-Fetch-Site": "same-origin", "Content-Type": kind, "Accept": "application/json", "Cookie": self.cookie}
        connection.request("POST", self.path + path, body, headers)
        answer = connection.getresponse()
        return answer.status, answer.read(), answer.headers.get("Set-Cookie", "")

    def send(self, files: list[Path]) -> float:
        first = http.client.HTTPConnection("127.0.0.1", self.port)
        began = time.perf_counter()
        status, _, cookie = self.ask(first, "/proof", urllib.parse.urlencode({"code": self.code}).encode(), "application/x-www-form-urlencoded")
        assert status == 303
        self.cookie = cookie.partition(";")[0]
        upload = json.loads(self.ask(first, "/uploads", b"{}")[1])["upload"]
        numbers: list[int] = []
        for at in range(0, len(files), 500):
            body = json.dumps({"files": [{"name": path.name, "size": path.stat().st_size} for path in files[at : at + 500]]}).encode()
            numbers += [one["file"] for one in json.loads(self.ask(first, f"/uploads/{upload}/files", body)[1])["files"]]
        over_connections(self.port, [self._task(upload, batch) for batch in batches(list(zip(numbers, files, strict=True)))])
        first.close()  # it was idle for longer than the server keeps a connection
        status, answer, _ = self.ask(first, f"/uploads/{upload}/finish", b"{}")
        seconds = time.perf_counter() - began
        assert status == 200, answer
        first.close()
        kept = self.parts.spool.upload(upload).files
        assert [hashlib.sha256(path.read_bytes()).hexdigest() for path in files] == [one.sha256 for one in kept], "every file, as it was"
        return seconds

    def _task(self, upload: str, batch: list[tuple[int, Path]]) -> Callable[[http.client.HTTPConnection], None]:
        def task(connection: http.client.HTTPConnection) -> None:
            parts = []
            for number, path in batch:
                data = path.read_bytes()
                line = json.dumps({"file": number, "at": 0, "bytes": len(data), "sha256": hashlib.sha256(data).hexdigest()})
                parts += [line.encode(), b"\n", data]
            status, answer, _ = self.ask(connection, f"/uploads/{upload}/pieces", b"".join(parts), "application/octet-stream")
            assert status == 200, answer

        return task


def batches(files: list[tuple[int, Path]]) -> list[list[tuple[int, Path]]]:
    made: list[list[tuple[int, Path]]] = [[]]
    room = BODY
    for number, path in files:
        size = path.stat().st_size
        if made[-1] and (size > room or len(made[-1]) == PIECES):
            made.append([])
            room = BODY
        made[-1].append((number, path))
        room -= size
    return made


def resident(master: int) -> dict[int, int]:
    """Bytes of each worker of this gunicorn."""
    children = Path(f"/proc/{master}/task/{master}/children").read_text().split()
    return {int(child): int(Path(f"/proc/{child}/statm").read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE") for child in children}


def main() -> None:
    arguments = argparse.ArgumentParser(description=__doc__)
    arguments.add_argument("--megabytes", type=int, default=1000)
    arguments.add_argument("--rounds", type=int, default=3)
    given = arguments.parse_args()
    folder = Path(tempfile.mkdtemp(prefix="upload-bench-"))
    try:
        (folder / "disc").mkdir()
        files = disc(folder / "disc", given.megabytes)
        size = sum(path.stat().st_size for path in files) / 1e6
        print(f"{len(files)} files, {size:.0f} MB, {CONNECTIONS} connections, {WORKERS} workers")
        for number in range(1, given.rounds + 1):
            direct = to_orthanc(files)
            (folder / str(number)).mkdir()
            portal, peak, stop = Portal(folder / str(number)), {}, threading.Event()
            with portal.serving() as master:
                idle = resident(master)

                def watch(master: int = master, peak: dict[int, int] = peak, stop: threading.Event = stop) -> None:
                    while not stop.wait(0.05):
                        for worker, bytes in resident(master).items():
                            peak[worker] = max(peak.get(worker, 0), bytes)

                watching = threading.Thread(target=watch)
                watching.start()
                ours = portal.send(files)
                stop.set()
                watching.join()
            grown = max(peak[worker] - idle.get(worker, peak[worker]) for worker in peak) / 1e6
            print(f"round {number}: Orthanc {direct:.1f} s ({size / direct:.0f} MB/s), portal {ours:.1f} s ({size / ours:.0f} MB/s), {direct / ours:.2f} x, a worker grew by {grown:.0f} MB")
            portal.parts.database.engine.dispose()
            shutil.rmtree(folder / str(number), ignore_errors=True)
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    main()
