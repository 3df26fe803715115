#!/usr/bin/env bash
# Installs the real servers and corpora that tests use: `make servers` runs this.
# Debian's packages as root; without root it says how. Everything else goes to .servers/, which git ignores.
set -euo pipefail
cd "$(dirname "$0")/../.."
here=.servers
python=.venv/bin/python
mkdir -p "$here"

packages=(
    wordpress php-cli php-mysql php-xml php-mbstring php-curl mariadb-server # feeds from real software
    dovecot-imapd                                                            # a mailbox
    chromium fonts-noto-color-emoji                                          # pages in a real browser
    strace systemd libseccomp2                                               # what leaves, and the unit's sandbox
    postgresql redis-server                                                  # under the Bluesky network
)

installed() {
    [ -r /usr/share/wordpress/wp-load.php ] && command -v php >/dev/null && command -v mariadbd >/dev/null \
        && command -v mariadb-install-db >/dev/null && [[ "$(php -m)" == *mysqli* ]] \
        && command -v dovecot >/dev/null \
        && command -v chromium >/dev/null && command -v strace >/dev/null && command -v systemd-analyze >/dev/null \
        && [ -e /usr/share/fonts/truetype/noto/NotoColorEmoji.ttf ] \
        && command -v redis-server >/dev/null && compgen -G "/usr/lib/postgresql/*/bin/initdb" >/dev/null
}

debian() {
    if installed; then
        echo "Debian's packages are there."
    elif ! command -v apt-get >/dev/null; then
        echo "No apt-get here: install what these Debian packages hold yourself: ${packages[*]}" >&2
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

# axe-core judges the pages' accessibility; it comes from the npm registry, so it needs npm.
axe() {
    local version=4.14.1 sum=e6b0ce02b84d892e2e33e403485e7f3d6c29e2be6df65daf44d89ba564139745
    if [ -e "$here/axe.min.js" ]; then
        echo "axe-core is there."
    elif ! command -v npm >/dev/null; then
        echo "No npm here: the accessibility tests will be skipped." >&2
    else
        (cd "$here" && npm pack --silent "axe-core@$version" >/dev/null)
        echo "$sum  $here/axe-core-$version.tgz" | sha256sum --check --quiet
        tar -xzf "$here/axe-core-$version.tgz" -C "$here" --strip-components=1 package/axe.min.js
    fi
}

# A whole Bluesky network from npm, with exact versions. It compiles for two to three minutes: in CI beside the tests,
# whose fixture waits for the mark.
bluesky() {
    local target="$here/bluesky" from=tests/servers/bluesky_network sum
    sum=$(sha256sum <"$from/pinned.json")
    if [ "$(cat "$target/built" 2>/dev/null)" = "$sum" ]; then
        echo "The Bluesky network is there."
        return
    elif ! command -v npm >/dev/null; then
        echo "No npm here: the tests against a Bluesky network will be skipped." >&2
        return
    fi
    mkdir -p "$target"
    rm -f "$target/built" "$target/failed"
    cp "$from/package.json" "$target/"
    cp "$from/pinned.json" "$target/package-lock.json" # versions and hashes, no hosts
    if [ "${CI:-}" = true ]; then
        : >"$target/install.log"
        bluesky_build "$target" "$sum" >"$target/install.log" 2>&1 </dev/null &
        disown
        echo "The Bluesky network is being built beside the tests."
    else
        bluesky_build "$target" "$sum"
    fi
}

bluesky_build() {
    local prefix
    prefix=$(dirname "$(dirname "$(readlink -f "$(command -v node)")")")
    if [ -e "$prefix/include/node/node.h" ]; then
        export npm_config_nodedir="$prefix" # its own headers: what else it would fetch fits another Node
    fi
    if (cd "$1" && npm ci --no-audit --no-fund); then
        echo "$2" >"$1/built"
    else
        touch "$1/failed"
        return 1
    fi
}

status=0
bluesky || status=1
axe || status=1
debian || status=1
corpus || status=1
exit "$status"
