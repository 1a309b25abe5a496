#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Makes an archive of one object out of static libraries; only the names in a list stay global.
#   archive.sh OUTPUT DIRECTORY LD OBJCOPY AR LIBRARY... LIST
set -eu
output=$1 directory=$2 ld=$3 objcopy=$4 ar=$5
shift 5
libraries=
while [ $# -gt 1 ]; do
    libraries="$libraries $1"
    shift
done
list=$1
rm -rf "$directory"
mkdir -p "$directory"
awk '/^[a-zA-Z]/ { print $1 }' "$list" > "$directory/names"
# shellcheck disable=SC2086 # a list of paths without spaces, as ninja passes them
"$ld" -r -o "$directory/all.o" --whole-archive $libraries --no-whole-archive
"$objcopy" --keep-global-symbols="$directory/names" "$directory/all.o" "$directory/pvm3.o"
rm -f "$output"
"$ar" crs "$output" "$directory/pvm3.o"
