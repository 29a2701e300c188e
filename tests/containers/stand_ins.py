"""Stand-ins for the images that compose would fetch from a registry, made of this machine alone.

base       a Debian 12 by debootstrap, which trusts what this machine trusts
build      the same, with this machine's Rust
influxdb   the same, with the influxd that tests use
grafana    no Grafana, which cannot be made: it reads all that Grafana is given, as the user that Grafana is, or ends
"""

from __future__ import annotations

import shutil
import subprocess
import tempfile
from pathlib import Path
from typing import Final

BASE: Final = "hotpath-standin-base:1"
BUILD: Final = "hotpath-standin-build:1"
INFLUXDB: Final = "hotpath-standin-influxdb:1"
GRAFANA: Final = "hotpath-standin-grafana:1"
_CERTIFICATES: Final = Path("/etc/ssl/certs/ca-certificates.crt")
_OWN_AUTHORITIES: Final = Path("/usr/local/share/ca-certificates")
_JAVA_TRUST: Final = Path("/etc/ssl/certs/java/cacerts")
_TRUST: Final = " ".join(
    f"{name}={_CERTIFICATES}" for name in ("PIP_CERT", "SSL_CERT_FILE", "REQUESTS_CA_BUNDLE", "CARGO_HTTP_CAINFO")
)


def lacking() -> list[str]:
    """The programs without which they cannot be made."""
    return [name for name in ("debootstrap", "rustc") if shutil.which(name) is None]


def make(influxd: Path) -> None:
    """Make those that are not there yet. Needs root, as debootstrap does."""
    with tempfile.TemporaryDirectory(prefix="hotpath-stand-in-") as scratch:
        if not _is_there(BASE):
            _base(Path(scratch) / "root")
        if not _is_there(BUILD):
            _build(Path(scratch) / "build")
        if not _is_there(INFLUXDB):
            _influxdb(Path(scratch) / "influxdb", influxd)
        _grafana(Path(scratch) / "grafana")


def _is_there(image: str) -> bool:
    return not subprocess.run(["docker", "image", "inspect", image], capture_output=True).returncode


def _base(root: Path) -> None:
    _run("debootstrap", "--variant=minbase", "--include=ca-certificates", "bookworm", str(root))
    for authority in _OWN_AUTHORITIES.glob("*.crt"):
        shutil.copy(authority, root / "usr" / "local" / "share" / "ca-certificates")
    _run("chroot", str(root), "update-ca-certificates")
    if (pip := Path("/etc/pip.conf")).exists():
        shutil.copy(pip, root / "etc" / "pip.conf")
    packed = subprocess.Popen(["tar", "-C", str(root), "-c", "."], stdout=subprocess.PIPE)
    change = ("--change", f"ENV {_TRUST}", "--change", 'CMD ["bash"]')
    subprocess.run(["docker", "import", *change, "-", BASE], stdin=packed.stdout, check=True, capture_output=True)
    assert packed.wait() == 0


def _build(context: Path) -> None:
    rust = Path(subprocess.check_output(["rustc", "--print", "sysroot"], text=True).strip())
    for folder in ("bin", "lib"):
        shutil.copytree(rust / folder, context / "rust" / folder, symlinks=True)
    lines = [f"FROM {BASE}", "COPY rust /opt/rust"]
    if _JAVA_TRUST.exists():
        shutil.copy(_JAVA_TRUST, context / "cacerts")
        lines.append(f"COPY cacerts {_JAVA_TRUST}")
    lines.append("ENV PATH=/opt/rust/bin:/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin")
    _image(context, BUILD, lines)


def _influxdb(context: Path, influxd: Path) -> None:
    context.mkdir()
    shutil.copy(influxd, context / "influxd")
    lines = [
        f"FROM {BASE}",
        "COPY influxd /usr/bin/influxd",
        "RUN mkdir --parents /var/lib/influxdb2 && chown 1000:1000 /var/lib/influxdb2",
        "VOLUME /var/lib/influxdb2",
    ]
    _image(context, INFLUXDB, lines)


def _grafana(context: Path) -> None:
    context.mkdir()
    shutil.copy(Path(__file__).with_name("reads_as_grafana.sh"), context / "run.sh")
    lines = [
        f"FROM {BASE}",
        "RUN apt-get update && apt-get install --yes --no-install-recommends busybox wget",
        "RUN mkdir --parents /var/lib/grafana && chown 472:0 /var/lib/grafana",
        "COPY run.sh /run.sh",
        'ENTRYPOINT ["bash", "/run.sh"]',
    ]
    _image(context, GRAFANA, lines)


def _image(context: Path, tag: str, lines: list[str]) -> None:
    (context / "Dockerfile").write_text("\n".join(lines) + "\n")
    _run("docker", "build", "--quiet", "--tag", tag, str(context))


def _run(*command: str) -> None:
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, f"{' '.join(command)}: {done.stdout[-2000:]}{done.stderr[-2000:]}"
