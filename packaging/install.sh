#!/bin/sh
# Installs 小智 as an appliance on Debian 12 or Raspberry Pi OS, from this folder. Run as root:
#     sudo packaging/install.sh            installs or renews it, and starts it at every boot
#     sudo packaging/install.sh --worker   installs the worker of a shared database instead: no sound, no people
#     sudo packaging/install.sh --remove   takes the program away; settings and records stay
# Everything of the program lies under /opt/xiaozhi, each version in a folder of its own; one link says which one
# runs, so that a version that could not be installed never replaces one that works. Safe to repeat and to interrupt.
set -eu
source="$(CDPATH='' cd -- "$(dirname -- "$0")/.." && pwd)"
app=/opt/xiaozhi
data=/var/lib/xiaozhi
units=/etc/systemd/system
unit=xiaozhi.service
remove=no
for option in "$@"; do
    case "$option" in
        --worker) unit=xiaozhi-worker.service ;;
        --remove) remove=yes ;;
        *) printf '%s\n' "usage: sudo packaging/install.sh [--worker] [--remove]" >&2; exit 2 ;;
    esac
done

say() { printf '%s\n' "==> $*"; }
fail() { printf '%s\n' "error: $*" >&2; exit 1; }
# In a container or while an image is built there is no running systemd to talk to.
managed() { [ -d /run/systemd/system ]; }

[ "$(id -u)" -eq 0 ] || fail "this needs root: sudo packaging/install.sh"

if [ "$remove" = yes ]; then
    ! managed || systemctl disable --now --quiet xiaozhi.service xiaozhi-worker.service 2>/dev/null || true
    rm -rf "$app" "$units/xiaozhi.service" "$units/xiaozhi-worker.service" /usr/local/bin/xiaozhi
    ! managed || systemctl daemon-reload
    say "removed. Settings, records and voiceprints are still in $data; to delete them too:"
    say "  rm -r $data && userdel xiaozhi"
    exit 0
fi

command -v apt-get >/dev/null || fail "this system has no apt-get: docs/installation.md tells what is needed elsewhere"
case "$(dpkg --print-architecture)" in
    amd64 | arm64) ;;
    *) fail "小智 needs a 64-bit system: on a Raspberry Pi 3 or newer install the 64-bit Raspberry Pi OS" ;;
esac

say "Debian packages"
export DEBIAN_FRONTEND=noninteractive
apt-get update -q || fail "apt-get update failed. Is the network there, and the time right? (date)"
apt-get install -q -y --no-install-recommends python3 python3-venv ca-certificates espeak-ng libportaudio2 alsa-utils ||
    fail "apt-get could not install what is needed. The lines above say more"
python3 -c 'import sys; sys.exit(sys.version_info < (3, 11))' ||
    fail "$(python3 --version) is too old: 小智 needs Python 3.11 or newer (Debian 12 has it)"

say "user xiaozhi"
if ! getent passwd xiaozhi >/dev/null; then
    useradd --system --user-group --home-dir "$data" --shell /usr/sbin/nologin xiaozhi
fi
for group in audio gpio; do
    ! getent group "$group" >/dev/null || usermod --append --groups "$group" xiaozhi
done
install -d -o xiaozhi -g xiaozhi -m 0700 "$data"

say "Python packages (several minutes on a Raspberry Pi)"
version="$(sed -n 's/^version = "\(.*\)"/\1/p' "$source/pyproject.toml")"
next="$app/$version-$(date -u +%Y%m%d%H%M%S)"
install -d -m 0755 "$app"
trap 'rm -rf "$next"' EXIT
trap 'exit 130' INT TERM
python3 -m venv "$next"
extras=postgres
! getent group gpio >/dev/null || extras="$extras,gpio"
# What was added by hand to the version before stays.
! "$app/current/bin/python" -c 'import sherpa_onnx' 2>/dev/null || extras="$extras,sherpa"
# TMPDIR: a Raspberry Pi's /tmp may be a small memory disk.
install -d "$next/tmp"
TMPDIR="$next/tmp" "$next/bin/python" -m pip install --disable-pip-version-check --quiet --progress-bar off \
    --constraint "$source/requirements.lock" "${source}[$extras]" ||
    fail "pip could not install the Python packages. Is the network there? The lines above say more"
rm -rf "$next/tmp"
"$next/bin/python" -m compileall -q -j 0 "$next/lib" >/dev/null || true
install -d "$next/share/doc"
install -m 0644 "$source"/docs/*.md "$source/README.md" "$next/share/doc/"
"$next/bin/xiaozhi" version >/dev/null || fail "the program was installed but does not start"
trap - EXIT INT TERM

say "putting $version into service"
ln -sfn "$next" "$app/next" && mv -fT "$app/next" "$app/current"
# This version and the one before it are kept: going back is moving the link.
find "$app" -mindepth 1 -maxdepth 1 -type d -name '[0-9]*' -printf '%T@ %p\n' | sort -rn | cut -d' ' -f2- | tail -n +3 |
    while IFS= read -r old; do rm -rf "$old"; done
cat > /usr/local/bin/xiaozhi <<'WRAPPER'
#!/bin/sh
# The commands of the appliance, as its own user: sudo xiaozhi …
[ "$(id -un)" = xiaozhi ] || { [ "$(id -u)" -eq 0 ] || { echo "error: say sudo xiaozhi …" >&2; exit 1; }; }
export XIAOZHI_HOME=/var/lib/xiaozhi
[ "$(id -u)" -ne 0 ] || exec setpriv --reuid xiaozhi --regid xiaozhi --init-groups /opt/xiaozhi/current/bin/xiaozhi "$@"
exec /opt/xiaozhi/current/bin/xiaozhi "$@"
WRAPPER
chmod 0755 /usr/local/bin/xiaozhi
for one in xiaozhi.service xiaozhi-worker.service; do
    install -m 0644 "$source/packaging/systemd/$one" "$units/$one"
done
if managed; then
    systemctl daemon-reload
    systemctl enable --quiet "$unit"
    systemctl restart "$unit"
else
    systemctl enable --quiet "$unit" 2>/dev/null || say "no systemd here: enable $unit on the device"
fi

say "installed. Next, as docs/installation.md explains:"
say "  sudo xiaozhi doctor                       what is still missing"
say "  sudo xiaozhi people add NAME              the first administrator"
say "  sudo systemctl restart $unit   after changing settings"
