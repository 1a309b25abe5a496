#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Formats the C files given, or those changed since the last commit, by .clang-format.
set -eu
cd "$(dirname "$0")/.."
if [ $# -eq 0 ]; then
    # shellcheck disable=SC2046
    set -- $({ git diff --name-only HEAD; git ls-files --others --exclude-standard; } |
        grep -E '\.[ch]$' | grep -v '^include/' || true)
fi
[ $# -eq 0 ] || clang-format -i "$@"
echo "$# files formatted"
