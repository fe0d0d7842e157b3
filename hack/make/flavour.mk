# SPDX-License-Identifier: Apache-2.0
# $(call flavour,NAME): the rules that build everything once with NAME's flags under build/NAME.
define flavour
OBJ_$(1) := $$(PKG_SRC:%.c=$$(B)/$(1)/%.o)
SUPPORT_OBJ_$(1) := $$(SUPPORT_SRC:%.c=$$(B)/$(1)/%.o)
UNIT_$(1) := $$(UNIT_SRC:tests/%.c=$$(B)/$(1)/tests/%)
SIM_$(1) := $$(SIM_SRC:tests/%.c=$$(B)/$(1)/tests/%)
CORPUS_$(1) := $$(if $$(filter fuzz,$(1)),,$$(FUZZ_SRC:tests/fuzz/%.c=$$(B)/$(1)/tests/corpus/%))
PROGRAMS_$(1) := $$(PROGRAM_SRC:tests/support/programs/%.c=$$(B)/$(1)/support/%)

# Written only when its text changes, also that of the flags of single folders: every object depends on it.
$$(B)/$(1)/flags: FORCE
	@hack/make/settle $$@ "$$(CC_$(1)) $$(subst ",\",$$(COMMON)) $$(CFLAGS_$(1)) $$(PKG_CFLAGS) $$(LINK) $$(LDFLAGS_$(1))" "$$$$(grep -h 'CFLAGS_$(1) +=' Makefile)"

$$(B)/$(1)/members: FORCE
	@hack/make/settle $$@ $$(OBJ_$(1)) -- $$(SUPPORT_OBJ_$(1))

$$(B)/$(1)/%.o: %.c $$(B)/$(1)/flags
	@mkdir -p $$(@D)
	$$(if $$(V),,@echo "  CC    $(1) $$<" &&) $$(CC_$(1)) $$(COMMON) $$(CFLAGS_$(1)) $$(PKG_CFLAGS) $$(if $$(filter tests/%,$$<),-Itests) -MMD -MP -c -o $$@ $$<

# .incbin is no include that -MMD sees.
$$(B)/$(1)/pkg/web/page.o $$(B)/$(1)/pkg/web/fleet.o: $$(PAGE_FILES)
$$(B)/$(1)/pkg/web/page.o $$(B)/$(1)/pkg/web/fleet.o: private COMMON += -DHF_PAGE_DIR='"$$(B)/page/"'

$$(B)/$(1)/libholdfast.a: $$(OBJ_$(1)) $$(B)/$(1)/members
	@rm -f $$@; ar rcs $$@ $$(OBJ_$(1))

$$(B)/$(1)/libsupport.a: $$(SUPPORT_OBJ_$(1)) $$(B)/$(1)/members
	@rm -f $$@; ar rcs $$@ $$(SUPPORT_OBJ_$(1))

$$(filter-out $$(APART_$(1)),$$(BINARIES:%=$$(B)/$(1)/%)): $$(B)/$(1)/%: $$(B)/$(1)/cmd/%/main.o $$(B)/$(1)/libholdfast.a
	@echo "  LINK  $(1) $$(@F)"
	@$$(CC_$(1)) $$(LINK) $$(subst fuzzer$$(comma),,$$(LDFLAGS_$(1))) -o $$@ $$(filter %.o %.a,$$^) $$(PKG_LIBS) -lm

$$(PROGRAMS_$(1)): $$(B)/$(1)/support/%: $$(B)/$(1)/tests/support/programs/%.o $$(B)/$(1)/libsupport.a $$(B)/$(1)/libholdfast.a
	@mkdir -p $$(@D)
	@$$(CC_$(1)) $$(LINK) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(PKG_LIBS) -lm

$$(B)/$(1)/support/programs: $$(PROGRAMS_$(1))
	@mkdir -p $$(@D)
	@touch $$@

$$(UNIT_$(1)) $$(SIM_$(1)): $$(B)/$(1)/tests/%: $$(B)/$(1)/tests/%.o $$(B)/$(1)/libsupport.a $$(B)/$(1)/libholdfast.a
	@mkdir -p $$(@D)
	@echo "  LINK  $(1) $$(@F)"
	@$$(CC_$(1)) $$(LINK) -Wl,--wrap=_mark_point $$(LDFLAGS_$(1)) -o $$@ $$^ $$(PKG_LIBS) $$(shell pkg-config --libs check) -lm

# A fuzz target linked with a main that replays its corpus: fixed crashes stay fixed.
$$(CORPUS_$(1)): $$(B)/$(1)/tests/corpus/%: $$(B)/$(1)/tests/fuzz/%.o $$(B)/$(1)/tests/fuzz/replay.o $$(B)/$(1)/libsupport.a $$(B)/$(1)/libholdfast.a
	@mkdir -p $$(@D)
	@echo "  LINK  $(1) corpus/$$(@F)"
	@$$(CC_$(1)) $$(LINK) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(PKG_LIBS) -lm

$$(if $$(filter fuzz,$(1)),$$(FUZZ_SRC:tests/fuzz/%.c=$$(B)/fuzz/tests/%)): $$(B)/fuzz/tests/%: $$(B)/fuzz/tests/fuzz/%.o $$(B)/fuzz/libsupport.a $$(B)/fuzz/libholdfast.a
	@echo "  LINK  fuzz $$(@F)"
	@$$(CC_$(1)) $$(LINK) $$(LDFLAGS_$(1)) -o $$@ $$^ $$(PKG_LIBS) -lm

$$(B)/$(1)/unit.list: $$(UNIT_$(1))
	@printf '%s\n' $$(UNIT_$(1)) >$$@
$$(B)/$(1)/sim.list: $$(SIM_$(1))
	@printf '%s\n' $$(SIM_$(1)) >$$@
$$(B)/$(1)/walks.list: $$(WALK_SRC:tests/%.c=$$(B)/$(1)/tests/%)
	@printf '%s\n' $$^ >$$@
$$(B)/$(1)/fault.list: $$(FAULT_SRC)
	@mkdir -p $$(@D)
	@printf '%s\n' $$(FAULT_SRC) >$$@
$$(B)/$(1)/corpus.list: $$(CORPUS_$(1))
	@printf '%s\n' $$(CORPUS_$(1)) >$$@
$$(B)/$(1)/tests.list: $$(B)/$(1)/unit.list $$(B)/$(1)/sim.list $$(B)/$(1)/corpus.list
	@touch $$@

-include $$(OBJ_$(1):.o=.d) $$(SUPPORT_OBJ_$(1):.o=.d) $$(wildcard $$(B)/$(1)/cmd/*/*.d $$(B)/$(1)/tests/*/*.d $$(B)/$(1)/tests/*/*/*.d $$(B)/$(1)/tests/*/*/*/*.d)
endef

comma := ,
.PHONY: FORCE
FORCE:
.SECONDARY:
