# SPDX-License-Identifier: BSD-3-Clause
# The front door; the build itself is meson.build. `make help` lists the targets.
#
#   make demo                a virtual machine of four hosts draws a picture and survives a loss
#   make check               builds and runs every test
#   make install PREFIX=DIR  installs (DESTDIR= is honoured)
#
# OFFLINE=1 installs no packages. BUILD=DIR builds elsewhere. MESON_OPTIONS=... goes to meson setup.

PREFIX ?= /usr/local
BUILD ?= build
MESON_OPTIONS ?=
JOBS ?=

# Root in a container may try everything: our own runs are isolated by their own PVM_TMP.
export PVM_ALLOW_ROOT = 1
export PYTHONDONTWRITEBYTECODE = 1
# What the user's own virtual machine is called is none of the tests' business.
unexport PVM_VMID PVM_TMP PVMSOCK PVMEPID MAKEFLAGS MFLAGS

NINJA = ninja -C $(BUILD) $(if $(JOBS),-j$(JOBS)) --quiet

.PHONY: build demo check check-quick bench install uninstall asan tsan generic musl clang fuzz night \
        lint tidy format clean help

build: deps-build $(BUILD)/build.ninja
	@$(NINJA)

demo: build
	@tools/demo.py $(BUILD)

check: deps-check build
	@tools/check.py $(BUILD)

# Seconds instead of minutes: what runs before each commit.
check-quick: build
	@tools/check.py $(BUILD) --suite lint --suite unit --suite sim

bench: deps-bench build
	@bench/run $(BUILD)

install: build
	@meson configure $(BUILD) -Dprefix="$(abspath $(PREFIX))" >/dev/null
	@DESTDIR="$(DESTDIR)" meson install -C $(BUILD) --quiet
	@echo "installed in $(DESTDIR)$(abspath $(PREFIX))"

uninstall:
	@test -f $(BUILD)/meson-logs/install-log.txt || \
	    { echo "make: $(BUILD) knows of no installation; uninstall where you installed" >&2; exit 1; }
	@$(NINJA) uninstall

# Other builds of the same tree, each with the tests that mean something there.
asan: deps-build
	@tools/variant.sh asan
tsan: deps-build
	@tools/variant.sh tsan
generic: deps-build
	@tools/variant.sh generic
musl: deps-check
	@tools/variant.sh musl
clang: deps-fuzz
	@tools/variant.sh clang
fuzz: deps-fuzz
	@tools/variant.sh fuzz $(SECONDS)

# As long as there is time: more seeds, more fuzzing. HOURS=8 by default; resumes where it stopped.
night: deps-fuzz build
	@tools/night.sh $(BUILD) $(HOURS)

lint: deps-lint build
	@tools/check.py $(BUILD) --suite lint
	@tools/lint.sh $(BUILD)

format: deps-format
	@tools/format.sh

clean:
	rm -rf $(BUILD) build-*

deps-%:
	@tools/deps.sh $*

$(BUILD)/build.ninja:
	@tools/setup.sh $(BUILD) $(MESON_OPTIONS)

help:
	@sed -n '3,9s/^# *//p' Makefile
	@echo "more: build check-quick bench uninstall asan tsan generic musl clang fuzz night lint format clean"
