# Postern. `make run` and `make check` are the two commands; `make help` lists the rest.
#
# Each folder is a library, each program that library plus its main.c; sources are found, not listed.
#   BUILD=DIR        builds there (default build)
#   SAN=1            with ASan and UBSan, in $(BUILD)-san

SHELL := /bin/bash
VERSION := 0.1.0
SAN ?=
BUILD ?= build$(if $(SAN),-san)
CC := gcc
# V=1 shows the commands.
Q := $(if $(V),,@)
PREFIX ?= /usr/local
DESTDIR ?=
PKGS := libevent_core libevent_pthreads libedit sqlite3 libcrypto libnl-3.0 libnl-route-3.0 libseccomp libcap-ng
IPSEC_MB := $(shell [ -e /usr/include/intel-ipsec-mb.h ] && echo 1)

CPPFLAGS += -I. -D_GNU_SOURCE -DPOSTERN_VERSION='"$(VERSION)"' $(if $(IPSEC_MB),-DHAVE_IPSEC_MB) $(shell pkg-config --cflags $(PKGS) 2>/dev/null)
CFLAGS += -std=gnu11 -g -O2 -Wall -Wextra -Werror -Wshadow -Wstrict-prototypes -Wmissing-prototypes -Wno-format-truncation \
	-fstack-protector-strong -fPIE -pthread
LDFLAGS += -pie -pthread -Wl,-z,relro,-z,now
LDLIBS += $(shell pkg-config --libs $(PKGS) 2>/dev/null) -lcrypt $(if $(IPSEC_MB),-lIPSec_MB)
ifneq ($(SAN),)
CFLAGS += -fsanitize=address,undefined -fno-sanitize-recover=undefined -fno-omit-frame-pointer -O1 -DPOSTERN_FAULTS -DPOSTERN_SAN
LDFLAGS += -fsanitize=address,undefined
else
CPPFLAGS += -D_FORTIFY_SOURCE=3
endif

# Folders -> libraries. main.c is a program's, everything else its library's.
srcs = $(filter-out %/main.c,$(sort $(foreach d,$(1),$(wildcard $(d)/*.c $(d)/*/*.c))))
SRC_base := $(sort $(wildcard platform/base/*.c))
SRC_configdb := $(sort $(wildcard configdb/*.c configdb/grammar/*.c configdb/model/*.c))
SRC_configd := $(filter-out %/main.c,$(sort $(wildcard configdb/daemon/*.c)))
SRC_datapath := $(call srcs,datapath)
SRC_ikemgr := $(call srcs,ikemgr)
SRC_platform := $(filter-out %/main.c,$(sort $(wildcard platform/daemon/*.c)))
SRC_cli := $(call srcs,cli)
LIBNAMES := cli configd ikemgr datapath platform configdb base

objs = $(patsubst %.c,$(BUILD)/obj/%.o,$(1))
lib = $(BUILD)/lib/lib$(1).a
define library
$(call lib,$(1)): $(call objs,$(SRC_$(1)))
	@mkdir -p $$(@D)
	@rm -f $$@
	@ar rcs $$@ $$^
endef
$(foreach l,$(LIBNAMES),$(eval $(call library,$(l))))

$(BUILD)/obj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)$(CC) $(CPPFLAGS) $(CFLAGS) -MMD -MP -c -o $@ $<

# Programs: name, main, libraries.
define program
$(BUILD)/bin/$(1): $(BUILD)/obj/$(2).o $(foreach l,$(3),$(call lib,$(l)))
	@mkdir -p $$(@D)
	$(Q)$(CC) $(LDFLAGS) -o $$@ $(BUILD)/obj/$(2).o $(foreach l,$(3),$(call lib,$(l))) $(LDLIBS)
endef
PROGRAMS := postern configd ikemgrd datapathd platformd
$(eval $(call program,postern,cli/main,cli configdb base))
$(eval $(call program,configd,configdb/daemon/main,configd configdb base))
$(eval $(call program,ikemgrd,ikemgr/main,ikemgr configdb base))
$(eval $(call program,datapathd,datapath/main,datapath configdb base))
$(eval $(call program,platformd,platform/daemon/main,platform configdb base))

.PHONY: all help
all: $(addprefix $(BUILD)/bin/,$(PROGRAMS))

# Unit and pair tests: every tests/{unit,pair}/**/test_*.c is one cmocka program, linked with all libraries.
# Helpers beside them (no test_ in front) are linked into every test of the same folder.
TESTS_C := $(sort $(wildcard tests/unit/*/test_*.c tests/unit/test_*.c tests/pair/test_*.c tests/cve/test_*.c))
TEST_BINS := $(patsubst tests/%.c,$(BUILD)/tests/%,$(TESTS_C))
.SECONDEXPANSION:
$(BUILD)/tests/%: $(BUILD)/obj/tests/%.o $$(addprefix $(BUILD)/obj/,$$(addsuffix .o,$$(basename $$(filter-out $$(wildcard tests/$$(dir $$*)test_*.c),$$(wildcard tests/$$(dir $$*)*.c))))) $(foreach l,$(LIBNAMES),$(call lib,$(l)))
	@mkdir -p $(@D)
	$(Q)$(CC) $(LDFLAGS) -o $@ $(filter %.o,$^) -Wl,--start-group $(filter %.a,$^) -Wl,--end-group -lcmocka $(LDLIBS)
.PRECIOUS: $(BUILD)/obj/%.o

.PHONY: unit
unit: $(TEST_BINS)
	@tests/run-cmocka $(TEST_BINS)

# Fuzz targets: tests/fuzz/fuzz_NAME.c with LLVMFuzzerTestOneInput, corpus in tests/fuzz/corpus/NAME.
FUZZ_C := $(sort $(wildcard tests/fuzz/fuzz_*.c))
FUZZ_BINS := $(patsubst tests/fuzz/%.c,$(BUILD)/fuzz/%,$(FUZZ_C))
FUZZ_SRC := $(foreach l,$(LIBNAMES),$(SRC_$(l)))
FUZZ_FLAGS := -std=gnu11 -g -O1 -fsanitize=fuzzer-no-link,address,undefined -fno-sanitize-recover=undefined -DPOSTERN_SAN -DPOSTERN_FUZZ -pthread -Wno-everything
$(BUILD)/fuzzobj/%.o: %.c
	@mkdir -p $(@D)
	$(Q)clang $(filter-out -D_FORTIFY_SOURCE=3,$(CPPFLAGS)) $(FUZZ_FLAGS) -MMD -MP -c -o $@ $<
$(BUILD)/fuzz/libpostern.a: $(patsubst %.c,$(BUILD)/fuzzobj/%.o,$(FUZZ_SRC))
	@mkdir -p $(@D)
	@rm -f $@
	@ar rcs $@ $^
$(BUILD)/fuzz/fuzz_%: $(BUILD)/fuzzobj/tests/fuzz/fuzz_%.o $(BUILD)/fuzz/libpostern.a
	$(Q)clang -fsanitize=fuzzer,address,undefined -pthread -o $@ $< $(BUILD)/fuzz/libpostern.a $(LDLIBS)
.PHONY: fuzz-build
fuzz-build: $(FUZZ_BINS)

# Further targets, one file each.
-include tests/tests.mk

.PHONY: clean
clean:
	rm -rf build build-san

-include $(shell find $(BUILD)/obj $(BUILD)/fuzzobj -type f -name '*.d' 2>/dev/null)
