# SPDX-License-Identifier: Apache-2.0
# holdfast: `make help` lists what there is.
#
# One flavour of every object per folder under build/: release, asan (tests), cov (coverage), fuzz. Objects depend on their
# headers (-MMD), on the flags (a stamp file) and archives on the list of their members, so nothing stale can be linked.

VERSION := 0.1.0
CC ?= gcc
CLANG ?= clang
PKGS := libcurl openssl yaml-0.1 jansson libwebsockets libuv libzstd liblzma libsystemd zlib
B := build
PREFIX ?= /usr/local
DESTDIR ?=
JOBS ?= $(shell nproc)

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.SUFFIXES:
MAKEFLAGS += --no-builtin-rules

# ---- what there is ------------------------------------------------------------------------------------------------
PKG_SRC := $(filter-out pkg/agent/without/% pkg/trust/ed25519_sodium.c pkg/os/memory_musl.c,$(sort $(wildcard pkg/*/*.c pkg/*/*/*.c)))
BINARIES := $(patsubst cmd/%/main.c,%,$(sort $(wildcard cmd/*/main.c)))
SUPPORT_SRC := $(sort $(filter-out $(wildcard tests/support/programs/*.c),$(wildcard tests/support/*.c tests/support/*/*.c)))
PROGRAM_SRC := $(sort $(wildcard tests/support/programs/*.c))
UNIT_SRC := $(sort $(wildcard tests/unit/*/test_*.c))
FAULT_SRC := $(patsubst %,tests/system/%.py,telemetry/run fault/floors fault/time_service docs/run fault/image_mirror fault/share fault/wall_clock fault/link \
	fault/manifests fault/fleet fault/tpm fault/disk fault/journal fault/bad_input fault/retain fault/artifacts fault/kill9 fault/network fault/unit_sees fault/secret \
	fault/selfupdate fault/supervisor fault/memory telemetry/docs registry/image_delta telemetry/carry fault/hooks helm/chart fault/resume fault/walls fault/recover registry/release) # the longest first
PAGE_FILES := $(patsubst pkg/web/page/%,$(B)/page/%.gz,$(sort $(filter-out %.md,$(wildcard pkg/web/page/*.*))))
SIM_SRC := $(sort $(wildcard tests/sim/test_*.c))
WALK_SRC := $(sort $(shell grep -lE 'support/(walk|fakes/simwalk|makers/wrong_byte).h' tests/sim/test_*.c tests/unit/*/test_*.c))
FUZZ_SRC := $(sort $(wildcard tests/fuzz/fuzz_*.c))

# ---- flags --------------------------------------------------------------------------------------------------------
WARN := -Wall -Wextra -Wshadow -Wconversion -Wstrict-prototypes -Wmissing-prototypes -Wold-style-definition -Wundef \
	-Wpointer-arith -Wcast-qual -Wwrite-strings -Wformat=2 -Wimplicit-fallthrough -Wvla -Werror
# What is missing is told by name below, and not by each command that needs it.
MISSING := $(strip $(foreach tool,$(firstword $(CC)) pkg-config,$(if $(shell command -v $(tool) 2>/dev/null),,$(tool))))
MACHINE := $(if $(MISSING),,$(shell $(CC) -dumpmachine))
HARDEN := -fstack-protector-strong -fstack-clash-protection -fPIE -fno-strict-overflow -fvisibility=hidden
# Indirect jumps and returns land where the compiler meant them to, on processors that check it (CET, BTI, PAC). Debian 12's start files
# carry no CET note, so the linker leaves the note out of the programs there.
HARDEN += $(if $(filter x86_64%,$(MACHINE)),-fcf-protection=full)$(if $(filter aarch64%,$(MACHINE)),-mbranch-protection=standard)
COMMON := -std=gnu17 -D_GNU_SOURCE -DHF_VERSION='"$(VERSION)"' -Ipkg -include base/banned.h $(WARN) $(HARDEN) -g
PKG_CONFIG := pkg-config
PKG_CFLAGS = $(shell $(PKG_CONFIG) --cflags $(PKGS))
PKG_LIBS = $(shell $(PKG_CONFIG) --libs $(PKGS))
LINK := -pie -Wl,-z,relro,-z,now,-z,noexecstack,--as-needed,--gc-sections

# Another architecture: CC=<its compiler> SYSROOT=<a Debian tree of it> B=<a folder of its own>, as deploy/image/build does.
ifneq ($(SYSROOT),)
PKG_CONFIG := PKG_CONFIG_SYSROOT_DIR=$(SYSROOT) PKG_CONFIG_LIBDIR=$(SYSROOT)/usr/lib/$(MACHINE)/pkgconfig:$(SYSROOT)/usr/share/pkgconfig pkg-config
COMMON += --sysroot=$(SYSROOT) -isystem $(SYSROOT)/usr/include/$(MACHINE) -ffile-prefix-map=$(SYSROOT)=
LINK_SYSROOT := --sysroot=$(SYSROOT) -L$(SYSROOT)/usr/lib/$(MACHINE) -Wl,-rpath-link,$(SYSROOT)/usr/lib/$(MACHINE):$(SYSROOT)/lib/$(MACHINE)
LINK += $(LINK_SYSROOT)
endif

# `make demo` and its like install what is missing themselves.
ifneq ($(filter all install,$(or $(MAKECMDGOALS),all)),)
ifeq ($(MISSING)$(SYSROOT),)
MISSING := $(strip $(if $(shell pkg-config --exists $(PKGS) 2>&1 || echo no),$(foreach one,$(PKGS),$(shell pkg-config --exists $(one) 2>/dev/null || echo $(one)))))
endif
ifneq ($(MISSING),)
$(error missing: $(MISSING): `hack/setup.sh build` installs what building needs on Debian, `hack/setup.sh --check build` names the packages)
endif
endif

# Where long has 32 bits, files of 2 GiB and more, and times after 2037, have to be asked for.
ifeq ($(if $(MISSING),,$(shell $(CC) -dM -E -x c /dev/null | sed -n 's/^.define __SIZEOF_LONG__ //p')),4)
COMMON += -D_FILE_OFFSET_BITS=64 -D_TIME_BITS=64
endif

CC_release = $(CC)
# With debug information that names the sources relative to the top, the same commit gives the same bytes in every folder.
# No tables for unwinding at run time: nothing in C does that, debuggers have .debug_frame, and nodes fetch a tenth less.
CFLAGS_release := -O2 -D_FORTIFY_SOURCE=2 -ffunction-sections -fdata-sections -DNDEBUG -ffile-prefix-map=$(CURDIR)=. -fno-asynchronous-unwind-tables
LDFLAGS_release :=
CC_asan = $(CC)
# Debug information of functions and lines alone, which the reports name, and binutils' quicker linker where it is: hundreds of programs.
# At a fixed address, because the sanitizers' tables hold 300,000 addresses in the agent alone, which each start of a program at any address relocates.
CFLAGS_asan := -O1 -g1 -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -DHF_TEST
LDFLAGS_asan := -no-pie -fsanitize=address,undefined $(if $(shell command -v ld.gold),-fuse-ld=gold)
CC_cov = $(CC)
CFLAGS_cov := -O0 --coverage -fprofile-update=atomic -DHF_TEST
LDFLAGS_cov := --coverage
CC_fuzz = $(CLANG)
CFLAGS_fuzz := -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DHF_TEST -Wno-unknown-warning-option
LDFLAGS_fuzz := -fsanitize=fuzzer,address,undefined
FLAVOURS := release asan cov fuzz

# The watcher of the agent and what containerd asks depend on no library of the host, where musl's compiler is (Debian's musl-tools);
# else they are linked as the others.
MUSL := $(if $(SYSROOT)$(filter-out gcc cc,$(notdir $(firstword $(CC)))),,$(shell command -v musl-gcc 2>/dev/null))
APART := holdfast-supervisor holdfast-verify
APART_release := $(if $(MUSL),$(APART:%=$(B)/release/%))

# The page of the node, as the programs embed it.
$(B)/page/%.gz: pkg/web/page/%
	@mkdir -p $(@D)
	@gzip -9nc $< >$@

include hack/make/flavour.mk
$(foreach f,$(FLAVOURS),$(eval $(call flavour,$(f))))

# This one runs on the smallest nodes, in 3 MiB: shared libraries would take more memory than its work.
# glibc has no start file for a static program at any address on 32-bit ARM.
$(B)/release/holdfast-delta: LINK := $(if $(filter arm-%,$(MACHINE)),-static -no-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections $(LINK_SYSROOT)
$(B)/release/holdfast-delta: PKG_LIBS := -lzstd -llzma

ifneq ($(MUSL),)
$(B)/release/holdfast-supervisor: $(wildcard pkg/supervisor/*.c pkg/supervisor/*.h)
$(B)/release/holdfast-verify: $(wildcard pkg/verifier/*.c pkg/verifier/*.h)
$(APART_release): $(B)/release/%: cmd/%/main.c pkg/base/banned.h $(B)/release/flags Makefile
	@echo "  LINK  release $(@F) (musl)"
	@$(MUSL) $(COMMON) $(CFLAGS_release) -Os -g0 -s -static -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections -o $@ $(filter %.c,$^)
endif

ifneq ($(SYSROOT),)
# For another processor there is no musl: glibc in the program is larger, and needs nothing of the host either.
$(APART:%=$(B)/release/%): LINK := $(if $(filter arm-%,$(MACHINE)),-static -no-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections $(LINK_SYSROOT)
$(APART:%=$(B)/release/%): PKG_LIBS :=
endif

# Only this program loads the libraries for TPMs: the agent starts it where there is one.
$(foreach f,$(FLAVOURS),$(B)/$(f)/holdfast-tpm): private PKGS += tss2-esys tss2-mu tss2-rc tss2-tcti-device tss2-tcti-swtpm

include hack/make/static.mk
include hack/make/small.mk

# The inner loops of the bit coder: -O3 saves a few per cent of the time to apply.
$(B)/release/pkg/delta/cm/bytes.o $(B)/release/pkg/delta/cm/model.o $(B)/release/pkg/delta/cm/stream.o $(B)/release/pkg/delta/cm/words.o: private CFLAGS_release += -O3

# What decides and waits: nodes fetch it with each version, and a few per cent of its time are nothing.
$(foreach area,agent alone api cli config kube manifests mirror node oci steer steps sync update,$(B)/release/pkg/$(area)/%.o): private CFLAGS_release += -Os

# What computes, under the sanitizers: half of the time of the delta tests is optimisation.
$(B)/asan/pkg/delta/%.o $(B)/asan/pkg/pack/%.o $(B)/asan/pkg/codec/sha256.o: private CFLAGS_asan += -O2

# The bit coder under a fuzzer: comparing its arithmetic teaches nothing, and ten million runs should fit a night.
$(B)/fuzz/pkg/delta/%.o $(B)/fuzz/pkg/codec/sha256.o: private CFLAGS_fuzz += -O2 -fno-sanitize-coverage=trace-cmp
$(B)/fuzz/tests/fuzz_delta: private LDFLAGS_fuzz += -Wl,--wrap=malloc,--wrap=aligned_alloc,--wrap=free

# Allocations that a test lets fail.
$(foreach f,asan cov,$(B)/$(f)/tests/unit/delta/test_memory): private LINK += -Wl,--wrap=malloc,--wrap=calloc,--wrap=realloc,--wrap=aligned_alloc
$(foreach f,asan cov,$(B)/$(f)/tests/unit/steps/test_fetch_registry): private LINK += -Wl,--wrap=malloc
$(foreach f,asan cov,$(B)/$(f)/tests/unit/controller/test_conductor): private LINK += -Wl,--wrap=hf_rollout_engine_take_edgenode,--wrap=hf_rollout_engine_result
$(foreach f,asan cov,$(B)/$(f)/tests/unit/codec/test_expand): private LINK += -Wl,--wrap=ZSTD_decompressStream
$(foreach f,asan cov,$(B)/$(f)/tests/unit/manifests/test_source_cases): private LINK += -Wl,--wrap=inflate

# Suites that run side by side build one at a time: each finds done what the one before built.
TURN := flock Makefile

# ---- goals --------------------------------------------------------------------------------------------------------
.PHONY: agent small small-test page-test static static-test dist dist-test iac-test verifier-test publish attack bench-delta arch all demo test unit sim soak walks fault check e2e bench fuzz coverage golden format image images image-test install site uninstall clean help setup-%

all: ## build the release binaries into build/release
all: $(BINARIES:%=$(B)/release/%)

static: ## the programs that hosts run, without any library of the host, in build/static
	@hack/setup.sh build static
	@archives=$$(deploy/image/archives) && $(TURN) $(MAKE) --no-print-directory -j$(JOBS) STATIC="$$archives" $(STATIC_PROGRAMS:%=$(B)/static/%)

agent: ## build/small/holdfast-agent with FEATURES alone (default: all of pkg/agent/without); its --version names what is left out
agent: $(B)/small/holdfast-agent

SMALL ?= armv7
small: ## the smallest agent, static with musl, for SMALL="armv7 riscv64 ..." with FEATURES (default: none): build/small/MACHINE/holdfast-agent
	@hack/setup.sh build arch || true
	@deploy/image/small --features "$(if $(filter command environment,$(origin FEATURES)),$(FEATURES))" $(SMALL)

demo: ## the main job on this machine: delta update, failing update that comes back, tampered one refused, kill -9 (KEEP=1 keeps it running)
	@hack/setup.sh build demo
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@hack/demo $(if $(KEEP),--keep)

test: ## install what testing needs, then unit tests, simulation, faults, the pages' commands and fuzz corpora under ASan, UBSan and LSan
	@echo "make test: builds twice and runs about 14,000 tests: about 13 minutes on 2 cores, 10 when built"
	@hack/setup.sh build test
	@$(MAKE) --no-print-directory -j$(JOBS) test-run

test-run: all $(B)/asan/tests.list $(B)/asan/fault.list $(B)/release/support/programs $(B)/asan/support/programs $(BINARIES:%=$(B)/asan/%)
	@hack/run-tests $(B)/asan fault sim unit corpus

unit: ## unit tests only, nothing installed
unit: $(B)/asan/unit.list $(B)/asan/support/programs $(BINARIES:%=$(B)/asan/%)
	@hack/run-tests $(B)/asan unit

sim: ## simulation only
sim: $(B)/asan/sim.list
	@hack/run-tests $(B)/asan sim

SOAK_SEEDS ?= 100000
SOAK_WALKS ?= all
soak: ## every walk of the tests to its end, then SOAK_SEEDS (100000) sequences of 500 random faults; after an interruption these go on
soak: $(if $(SOAK_WALKS),walks) $(B)/release/tests/sim/test_policy
	@JOBS=$(JOBS) hack/soak $(B)/release/tests/sim/test_policy $(SOAK_SEEDS)

walks: ## every walk of the tests to its end: a power cut, a failure at each single call; make test goes to a sample of them
walks: all $(B)/asan/walks.list
	@HF_WALK_SEED=all ASAN_OPTIONS=quarantine_size_mb=32:malloc_context_size=30 hack/run-tests $(B)/asan walks
	@tests/system/fault/supervisor.py --kills 200 kills
	@tests/system/fault/selfupdate.py --kills 200 --cuts 200 kills power_cuts

fault: ## the built agent under kill -9, power cuts, bad input and sinks that misbehave, and the pages' commands, only
fault: all $(B)/asan/fault.list $(B)/release/support/programs $(B)/asan/support/programs $(BINARIES:%=$(B)/asan/%)
	@hack/run-tests $(B)/asan fault

attack: ## what a stolen cluster, a local user, an artifact server and a lying clock try against the built agent
	@hack/setup.sh build test
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@tests/attack/run.py $(ATTACK)

check: ## layout, layers, cppcheck, clang-tidy, shell and schema checks
	@hack/setup.sh build test
	@hack/check

e2e: ## a real cluster: API server, kubelet, containerd, systemd nodes (root and Go needed, else skipped by name)
	@hack/setup.sh build test e2e || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@tests/system/e2e/run --beside

arch: ## deltas applied on other processors: built for ARM, AArch64, s390x and RISC-V, run under qemu-user
	@hack/setup.sh build arch || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@tests/system/arch/delta.py

bench: ## figures beside the peers that are installed, in one run, as ratios
	@hack/setup.sh build bench || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@hack/bench $(BENCH)

bench-delta: ## deltas of every NAME.old/NAME.new in DIR, ours beside the peers: CSV, table and plot (hack/bench-corpus makes a DIR)
	@test -n "$(DIR)" || { echo "usage: make bench-delta DIR=folder [ARGS=...]; hack/bench-corpus makes such a folder" >&2; exit 2; }
	@hack/setup.sh build bench || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all
	@hack/bench-delta "$(DIR)" $(ARGS)

FUZZ_SECONDS ?= 60
fuzz: ## every fuzz target for FUZZ_SECONDS (60) each
	@hack/setup.sh build test
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) $(FUZZ_SRC:tests/fuzz/%.c=$(B)/fuzz/tests/%)
	@JOBS=$(JOBS) hack/run-fuzz $(B)/fuzz $(FUZZ_SECONDS)

coverage: ## line coverage of pkg/ by the tests, as text and HTML under build/coverage
	@hack/setup.sh build test
	@$(MAKE) --no-print-directory $(B)/cov/tests.list $(B)/cov/support/programs $(BINARIES:%=$(B)/cov/%)
	@hack/coverage $(B)/cov

golden: ## rewrite tests/golden from the code; read the diff
	@$(MAKE) --no-print-directory $(B)/asan/unit.list
	@HF_GOLDEN_WRITE=1 hack/run-tests $(B)/asan unit

site: ## the documentation as a site below build/site/html (mkdocs-material by pip): every link is checked, nothing is loaded from elsewhere
	@hack/site

format: ## lay out all C files with clang-format
	@git ls-files -co --exclude-standard '*.c' '*.h' | xargs clang-format -i

image: ## container images of this machine's processor as docker-archives under build/image, with bills of materials
	@hack/setup.sh build image
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all
	@archives=$$(hack/setup.sh static >&2 && deploy/image/archives) || exit 0; \
	  $(TURN) $(MAKE) --no-print-directory -j$(JOBS) STATIC="$$archives" $(STATIC_PROGRAMS:%=$(B)/static/%)
	@deploy/image/build

IMAGES ?= all
images: ## container images for amd64, arm64 and armv7: OCI layouts and docker-archives under build/image (IMAGES=arm64,armv7: only those)
	@hack/setup.sh build images
	@deploy/image/build --arch $(IMAGES) --jobs $(JOBS)

image-test: ## the images for ARM: twice the same, what is in them, an update by each under qemu-user, and a real containerd
	@hack/setup.sh build images || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all $(B)/release/support/programs
	@tests/system/image/run.py

static-test: ## the static programs: in an empty root, with names and certificates, beside traps; skipped without a source of packages
	@hack/setup.sh build test static || true
	@tests/system/static/run.py $(STATIC_TEST)

small-test: ## the smallest agent of SMALL: its size, what it refuses, a signed update from a folder under qemu-user
	@hack/setup.sh build arch || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all
	@tests/system/static/small.py $(SMALL)

dist: ## what a release publishes, from HEAD, in build/dist: KEY=FILE and APT_KEY=FILE sign it, REGISTRY=HOST/PATH and URL=https://... are where images and files will be
	@hack/setup.sh build images dist
	@hack/dist/make --arch $(IMAGES) --jobs $(JOBS) $(if $(KEY),--key "$(KEY)") $(if $(APT_KEY),--apt-key "$(APT_KEY)") $(if $(REGISTRY),--registry "$(REGISTRY)") $(if $(URL),--url "$(URL)")

publish: ## push the images and the chart of `make dist REGISTRY=HOST/PATH` there (REGISTRY=HOST/PATH; PLAIN_HTTP=1 without TLS)
	@test -n "$(REGISTRY)" || { echo "usage: make publish REGISTRY=HOST[:PORT][/PATH] [PLAIN_HTTP=1]" >&2; exit 2; }
	@hack/dist/publish $(if $(PLAIN_HTTP),--plain-http) "$(REGISTRY)"

dist-test: ## what make dist makes: twice the same, quiet under lintian, and installed, upgraded and purged on Debian 12 and 13 in containers
	@hack/setup.sh build images dist e2e || true
	@tests/system/dist/run.py $(DIST)

iac-test: ## the modules of deploy/terraform and deploy/pulumi, by OpenTofu (from Go modules) and Pulumi's mocks (from npm)
	@tests/system/iac/run.py

verifier-test: ## pulls through a containerd 2.1 from Go modules that asks holdfast-verify (root and Go needed, else skipped by name)
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all
	@tests/system/verifier/run.py

PAGES ?= run fleet site
page-test: ## the pages of a node and of the fleet in a real Chromium: every state, axe-core, hostile texts, the keyboard and those of `make site` by axe-core (chromium; node and npm; PAGES=run: the node's)
	@hack/setup.sh build page || true
	@$(TURN) $(MAKE) --no-print-directory -j$(JOBS) all
	@r=0; for page in $(PAGES); do tests/system/page/$$page.py $(PAGE_TEST) || r=1; done; exit $$r

install: ## binaries, man pages, completion, systemd unit (PREFIX=/usr/local, DESTDIR)
install: all
	@hack/install install "$(DESTDIR)" "$(PREFIX)" $(VERSION)

uninstall:
	@hack/install uninstall "$(DESTDIR)" "$(PREFIX)" $(VERSION)

clean: ## remove build/
	rm -rf $(B)

help: ## this list
	@grep -hE '^[a-z0-9-]+:.*## ' $(firstword $(MAKEFILE_LIST)) | sed -E 's/^([a-z0-9-]+):.*## /\1\t/' | awk -F'\t' '{printf "  make %-10s %s\n", $$1, $$2}'

# tests/system/docs installs and runs the release programs.
fault: all $(B)/release/support/programs
