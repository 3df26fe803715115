#!/usr/bin/env bash
# Installs the real servers and corpora that tests use: `make servers` runs this.
# Debian's packages as root; without root it says how. Everything else goes to .servers/, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=.servers
python=.venv/bin/python
mkdir -p "$here"

packages=(wordpress php-cli php-mysql php-xml php-mbstring php-curl mariadb-server)

installed() {
    [ -r /usr/share/wordpress/wp-load.php ] && command -v php >/dev/null && command -v mariadbd >/dev/null \
        && command -v mariadb-install-db >/dev/null && [[ "$(php -m)" == *mysqli* ]]
}

debian() {
    if installed; then
        echo "WordPress, PHP and MariaDB are there."
    elif ! command -v apt-get >/dev/null; then
        echo "No apt-get here: install WordPress to /usr/share/wordpress, PHP (command line, mysqli, xml, mbstring) and MariaDB yourself." >&2
        return 1
    elif [ "$(id -u)" != 0 ]; then
        echo "Installing Debian packages needs root. Run: sudo apt-get install -y --no-install-recommends ${packages[*]}" >&2
        return 1
    else
        export DEBIAN_FRONTEND=noninteractive
        # Tests start their own servers on loopback; the packages must not start system ones.
        local deny=/usr/sbin/policy-rc.d
        if [ ! -e "$deny" ]; then
            trap 'rm -f /usr/sbin/policy-rc.d' EXIT
            printf '#!/bin/sh\nexit 101\n' >"$deny" && chmod +x "$deny"
        fi
        apt-get install -y -q --no-install-recommends "${packages[@]}" \
            || { apt-get update -q && apt-get install -y -q --no-install-recommends "${packages[@]}"; }
    fi
}

# feedparser's own test files are in its source distribution only: about 2,250 feeds, most of them odd.
corpus() {
    local version target
    version=$(sed -n 's/^feedparser==\([0-9.]*\).*/\1/p' requirements.lock)
    target="$here/feedparser-$version"
    if [ -d "$target/tests" ]; then
        echo "feedparser's corpus is there."
        return
    fi
    "$python" -m pip download --quiet --disable-pip-version-check --no-deps --no-binary feedparser \
        --dest "$here" "feedparser==$version"
    tar -xzf "$here/feedparser-$version.tar.gz" -C "$here"
}

status=0
debian || status=1
corpus || status=1
exit "$status"
