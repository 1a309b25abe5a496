#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# Proves that the pure layers are pure: every symbol their archives need, minus those they define
# themselves, must be on the list below. No call of the system is on it, no clock, no random source,
# no stdio, no getenv. Prints TAP, one point an archive.
#
#   check-pure.sh NM ARCHIVE...
#
# Only for plain builds: sanitizers and coverage add symbols of their own.
set -eu
nm=$1
shift

# Memory, strings, numbers; what compilers put in by themselves comes after the empty line.
allowed='
abort calloc free malloc realloc
memchr memcmp memcpy memmove memset
strchr strcmp strcspn strlen strncmp strpbrk strrchr strspn strstr
bsearch qsort strtod strtol strtoll strtoul strtoull vsnprintf
floor ceil sqrt log exp pow fabs

_GLOBAL_OFFSET_TABLE_ __stack_chk_fail __stack_chk_guard
__tls_get_addr bcmp
__memcpy_chk __memmove_chk __memset_chk __vsnprintf_chk
__isoc23_strtol __isoc23_strtoll __isoc23_strtoul __isoc23_strtoull
__ctype_b_loc __ctype_tolower_loc __ctype_toupper_loc isdigit isspace isxdigit isalnum isalpha
isprint tolower toupper'

own=$("$nm" -P "$@" 2>/dev/null | awk 'NF >= 2 && $2 !~ /^[Uwv]$/ { print $1 }' | sort -u)
printf '1..%d\n' $#
number=0
failed=0
for archive; do
    number=$((number + 1))
    foreign=$("$nm" -P "$archive" 2>/dev/null | awk -v own="$own" -v allowed="$allowed" '
        BEGIN {
            n = split(own " " allowed, names, /[ \n]+/)
            for (i = 1; i <= n; i++) known[names[i]] = 1
        }
        $2 == "U" && !($1 in known) { print $1 }' | sort -u)
    name=$(basename "$archive")
    if [ -z "$("$nm" -P "$archive" 2>/dev/null | head -n 1)" ]; then
        echo "not ok $number - $name has symbols"
        failed=1
    elif [ -n "$foreign" ]; then
        echo "not ok $number - $name needs only memory, strings and numbers"
        for symbol in $foreign; do echo "# foreign symbol: $symbol"; done
        failed=1
    else
        echo "ok $number - $name needs only memory, strings and numbers"
    fi
done
exit $failed
