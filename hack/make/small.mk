# SPDX-License-Identifier: Apache-2.0
# build/small/holdfast-agent: the agent with the features that FEATURES names. What is left out of the link stands here by feature: the
# sources that go. In the place of their front comes pkg/agent/without/FEATURE.c, and what only they call the linker leaves out.
EVERY_FEATURE := $(patsubst pkg/agent/without/%.c,%,$(sort $(wildcard pkg/agent/without/*.c)))
GOES_cluster := pkg/agent/identity/% pkg/kube/upstream.c pkg/kube/api/%
GOES_host := pkg/host/credentials.c pkg/host/install.c pkg/host/systemd.c pkg/agent/process/host_% pkg/agent/process/first_install.c pkg/agent/process/supervised.c
GOES_https := pkg/loop/http/% pkg/oci/registry/token.c pkg/oci/registry/registry.c pkg/loop/connection.c pkg/loop/tpm_key.c pkg/loop/server/certified.c pkg/trust/certificate.c pkg/trust/identity.c \
	pkg/trust/csr_parse.c pkg/trust/ed25519_openssl.c pkg/tpm/envelope.c pkg/loop/static_start.c
GOES_images := pkg/agent/images/% pkg/mirror/% pkg/verifier/% pkg/oci/image_delta.c pkg/oci/manifest.c pkg/oci/registry/registry.c
GOES_manifests := pkg/manifests/% $(filter-out pkg/alone/places.c pkg/alone/listing.c,$(wildcard pkg/alone/*.c)) pkg/agent/desired/sets.c
GOES_page := pkg/agent/page/% pkg/web/page.c pkg/web/fleet.c pkg/web/web.c pkg/agent/process/listeners.c
GOES_repack := pkg/pack/codec/codecs.c pkg/pack/codec/xz% pkg/pack/codec/zst%
GOES_share := pkg/share/% pkg/agent/process/neighbours.c
GOES_systemd := pkg/loop/unit.c pkg/telemetry/source/source_journald.c
GOES_telemetry := pkg/telemetry/source/% pkg/spool/% pkg/agent/process/telemetry.c

WANTED_FEATURES := $(if $(filter undefined,$(origin FEATURES)),$(EVERY_FEATURE),$(FEATURES))
LEFT_OUT := $(filter-out $(WANTED_FEATURES),$(EVERY_FEATURE))
$(if $(filter-out $(EVERY_FEATURE),$(WANTED_FEATURES)),$(error FEATURES: unknown '$(firstword $(filter-out $(EVERY_FEATURE),$(WANTED_FEATURES)))'; known: $(EVERY_FEATURE)))
NEED_HTTPS := $(if $(filter https,$(LEFT_OUT)),$(filter cluster images manifests page share telemetry,$(WANTED_FEATURES)))
$(if $(NEED_HTTPS),$(error FEATURES: $(firstword $(NEED_HTTPS)) needs https))
SERVES := $(filter images page telemetry,$(WANTED_FEATURES))
SMALL_MUSL := $(findstring musl-gcc,$(CC))
SMALL_SRC := $(filter-out pkg/cli/% pkg/controller/% pkg/rollout/% pkg/units/% pkg/tpm/chip.c $(foreach f,$(LEFT_OUT),$(GOES_$(f))) $(if $(SERVES),,pkg/loop/server/%) $(if $(SMALL_MUSL),pkg/os/memory.c),$(PKG_SRC)) \
	$(LEFT_OUT:%=pkg/agent/without/%.c) $(if $(filter https,$(LEFT_OUT)),pkg/trust/ed25519_sodium.c) $(if $(SMALL_MUSL),pkg/os/memory_musl.c)
SMALL_OBJ := $(SMALL_SRC:%.c=$(B)/release/%.o)
# Libraries of a few features alone.
SMALL_DROPS := $(if $(filter https,$(LEFT_OUT)),libcurl openssl) $(if $(SERVES),,libwebsockets) $(if $(filter systemd,$(LEFT_OUT)),libsystemd)
SMALL_PKGS := $(filter-out $(SMALL_DROPS),$(PKGS)) $(if $(filter https,$(LEFT_OUT)),libsodium)
# What is missing is told by name, as the Makefile does; hack/setup.sh does not install what this agent alone needs.
ifneq ($(filter agent,$(MAKECMDGOALS)),)
SMALL_LACKS := $(if $(MISSING)$(SYSROOT),,$(strip $(foreach one,$(SMALL_PKGS),$(shell pkg-config --exists $(one) 2>/dev/null || echo $(one)))))
$(if $(SMALL_LACKS),$(error missing: $(SMALL_LACKS): $(if $(filter libsodium,$(SMALL_LACKS)),without https an agent verifies with libsodium (Debian: libsodium-dev); )`hack/setup.sh build` installs what else building needs on Debian))
endif
$(B)/small/%: private PKGS := $(SMALL_PKGS)

$(B)/small/members: FORCE
	@hack/make/settle $@ $(SMALL_OBJ)

$(B)/small/libholdfast.a: $(SMALL_OBJ) $(B)/small/members
	@rm -f $@; ar rcs $@ $(SMALL_OBJ)

$(B)/small/holdfast-agent: $(B)/release/cmd/holdfast-agent/main.o $(B)/small/libholdfast.a
	@echo "  LINK  small $(@F)"
	@$(CC_release) $(LINK) -o $@ $(filter %.o %.a,$^) $(PKG_LIBS) -lm

# For tests: with what an emulator of user programs lacks.
$(B)/small/emulated-agent: tests/system/image/emulated.c $(B)/release/cmd/holdfast-agent/main.o $(B)/small/libholdfast.a
	@$(CC_release) -O1 -D_GNU_SOURCE $(LINK) -o $@ $^ $(PKG_LIBS)

-include $(wildcard $(B)/release/pkg/agent/without/*.d)
