# SPDX-License-Identifier: Apache-2.0
# build/static/NAME: programs that need neither loader nor libraries of the host. `make static` gives STATIC, the folder that
# deploy/image/archives prints. They are the release objects; only what includes libwebsockets is compiled again, whose headers say
# how it was built.
STATIC_PROGRAMS := holdfast-agent holdfast holdfast-controller
STATIC_AGAIN := $(patsubst %.c,$(B)/static/%.o,$(wildcard pkg/loop/server/*.c))
STATIC_OBJ := $(filter-out $(STATIC_AGAIN:$(B)/static/%=$(B)/release/%),$(OBJ_release)) $(STATIC_AGAIN)
# glibc has no start file for a static program at any address on 32-bit ARM.
# These archives come before those of the Debian tree, whose libcurl wants more libraries.
STATIC_LINK := $(if $(filter arm-%,$(MACHINE)),-static -no-pie,-static-pie) -Wl,-z,relro,-z,now,-z,noexecstack,--gc-sections -L$(STATIC)/lib $(LINK_SYSROOT)
# glibc warns of getaddrinfo(), and pkg/loop/static_start.c keeps it from loading anything: what the linker says counts when it fails.
STATIC_SAID = 2>$@.said || { cat $@.said >&2; exit 1; }; rm $@.said
STATIC_START := -Wl,-u,hf_static_start
STATIC_LIBS := -lcurl -lwebsockets -lsystemd -luv_a -ljansson -lyaml -lnghttp2 -lssl -lcrypto -lzstd -llzma -llz4 -lz -lcap -lm

ifneq ($(filter $(B)/static/%,$(MAKECMDGOALS)),)
ifeq ($(STATIC),)
$(error STATIC is not set: `make static` sets it)
endif
endif

$(B)/static/flags: FORCE
	@hack/make/settle $@ '$(STATIC) $(STATIC_LINK)' $(STATIC_OBJ)

$(STATIC_AGAIN): $(B)/static/%.o: %.c $(B)/release/flags $(B)/static/flags
	@mkdir -p $(@D)
	@echo "  CC    static $<" && $(CC_release) $(COMMON) $(CFLAGS_release) -isystem $(STATIC)/include $(PKG_CFLAGS) -MMD -MP -c -o $@ $<

$(B)/static/libholdfast.a: $(STATIC_OBJ) $(B)/static/flags
	@rm -f $@; ar rcs $@ $(STATIC_OBJ)

$(STATIC_PROGRAMS:%=$(B)/static/%): $(B)/static/%: $(B)/release/cmd/%/main.o $(B)/static/libholdfast.a
	@echo "  LINK  static $(@F)"
	@$(CC_release) $(STATIC_LINK) $(STATIC_START) -o $@.new $^ $(STATIC_LIBS) $(STATIC_SAID); mv $@.new $@

ifneq ($(STATIC_LOOSE),)
# The agent without pkg/loop/static_start.c: tests/system/static shows by it what that file prevents.
$(STATIC_LOOSE): $(B)/release/cmd/holdfast-agent/main.o $(B)/static/libholdfast.a
	@$(CC_release) $(STATIC_LINK) -o $@ $^ $(STATIC_LIBS) $(STATIC_SAID)
endif

-include $(STATIC_AGAIN:.o=.d)

# The unit tests of what the host's own services answer: its bus, its journal, its name servers, against the static libraries.
STATIC_TESTS := $(addprefix $(B)/static/tests/unit/,telemetry/test_source_journald loop/test_unit loop/test_server)
$(STATIC_TESTS): $(B)/static/%: $(B)/release/%.o $(B)/release/libsupport.a $(B)/static/libholdfast.a
	@mkdir -p $(@D)
	@echo "  LINK  static $(@F)"
	@$(CC_release) $(STATIC_LINK) $(STATIC_START) -Wl,--wrap=_mark_point -o $@ $^ -lcheck -lsubunit $(STATIC_LIBS) $(STATIC_SAID)
