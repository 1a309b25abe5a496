#!/bin/sh
# SPDX-License-Identifier: BSD-3-Clause
# As many simulated seeds, fuzzing, random kills and soaking as a night has time for. What was found
# stays in the build folders, so another night goes on where this one stopped. Says what was run, in
# hours.
#
#   night.sh BUILD [HOURS]
set -u
cd "$(dirname "$0")/.." || exit 1
build=$1
hours=${2:-8}
begin=$(date +%s)
end=$((begin + hours * 3600))
failed=0
state=$build/night
mkdir -p "$state"
seed=$(cat "$state/seed" 2>/dev/null || echo 1)

while [ "$(date +%s)" -lt "$end" ]; do
    if [ -x "$build/sim/pvmsim" ]; then
        # What fails is printed with the command that repeats it; the state file knows how far.
        "$build/sim/pvmsim" seeds 1 100000000 --minutes 20 --jobs "$(nproc)" \
            --state "$state/seeds" >"$state/sim.log" 2>&1 || {
            failed=1
            tail -n 20 "$state/sim.log"
            cp "$state/sim.log" "$state/sim-$seed.log"
        }
        "$build/sim/pvmsim" quiet --hosts 100 --minutes 20 --seed "$seed" \
            >"$state/quiet.log" 2>&1 || {
            failed=1
            tail -n 20 "$state/quiet.log"
            cp "$state/quiet.log" "$state/quiet-$seed.log"
        }
        tail -n 2 "$state/quiet.log"
        seed=$((seed + 200))
        echo $seed >"$state/seed"
    fi
    tools/variant.sh fuzz 120 >"$state/fuzz.log" 2>&1 || {
        failed=1
        tail -n 20 "$state/fuzz.log"
    }
    PVM_TEST_BUILD=$build tests/system/chaos.py "$seed" >"$state/chaos.log" 2>&1 || {
        failed=1
        tail -n 20 "$state/chaos.log"
    }
    for shared in "model/orders_pair 1" "kill/kill_pair 120" "kill/hostile 60 $seed" \
        "kill/hostile_asan 60 $seed"; do
        name=${shared%% *}
        [ -x "$build/tests/$name" ] || continue
        # shellcheck disable=SC2086
        "$build/tests/"$shared >"$state/$(basename "$name").log" 2>&1 || {
            failed=1
            tail -n 20 "$state/$(basename "$name").log"
        }
    done
    PVM_TEST_BUILD=$build tests/system/soak.py --minutes 30 --seed "$seed" \
        >"$state/soak.log" 2>&1 || {
        failed=1
        cp "$state/soak.log" "$state/soak-$seed.log"
    }
    tail -n 20 "$state/soak.log"
done
echo "night: $((($(date +%s) - begin) / 360)) tenths of an hour, seeds up to $seed, failed: $failed"
exit $failed
