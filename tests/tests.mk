# The two commands, and what they are made of.
# shell functions stand in scripts/ and tests/; this file only orders them.

PYTEST := /usr/bin/python3 -m pytest
JOBS ?= $(shell nproc)
FUZZ_SECONDS ?= 60

help:
	@echo 'make run           install what is missing, build, bring up the two-site lab, open R1'\''s console'
	@echo 'make check         install what is missing, build, run the tests'
	@echo 'make               build only (build/bin)'
	@echo 'make unit          unit and pair tests;  SAN=1 with ASan and UBSan'
	@echo 'make system        system tests in namespaces'
	@echo 'make fuzz          each fuzz target for FUZZ_SECONDS ($(FUZZ_SECONDS))'
	@echo 'make matrix        every capability with strongSwan, libreswan and itself: build/matrix.json'
	@echo 'make check-long    what is too long for check: the whole matrix, hours of fuzzing'
	@echo 'make captures      captures with keys of every case for study, and a guide: build/captures'
	@echo 'make bench         speed beside other implementations: build/bench.json'
	@echo 'make lint format   static analysis; layout'
	@echo 'make install       DESTDIR= PREFIX=$(PREFIX)'

.PHONY: deps-build deps-run deps-check run check check-long unit-san system system-san fuzz layering
deps-build deps-run deps-check:
	@scripts/deps $(@:deps-%=%)

run: deps-run
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@tests/lab/tour

check: deps-check
	@$(MAKE) --no-print-directory -j$(JOBS) all
	@$(MAKE) --no-print-directory -j$(JOBS) SAN=1 all
	@$(MAKE) --no-print-directory layering
	@$(MAKE) --no-print-directory -j$(JOBS) unit
	@$(MAKE) --no-print-directory -j$(JOBS) SAN=1 unit
	@$(MAKE) --no-print-directory fuzz
	@$(MAKE) --no-print-directory system-san
	@$(MAKE) --no-print-directory system

check-long: check
	@$(MAKE) --no-print-directory matrix
	@$(MAKE) --no-print-directory fuzz FUZZ_SECONDS=1800

layering:
	@tests/layering

system: bench-build
	@$(PYTEST) -q -p no:cacheprovider -n $(JOBS) --dist loadgroup tests/system

# The programs with ASan and UBSan under the tests that reach most of them.
SYSTEM_SAN := $(addprefix tests/system/test_,tunnel.py peer_failures.py kill.py decode.py monitor_capture.py console.py router.py)
system-san:
	@POSTERN_BIN=$(abspath $(BUILD)-san)/bin $(PYTEST) -q -p no:cacheprovider -n $(JOBS) --dist loadgroup $(wildcard $(SYSTEM_SAN))

fuzz:
	@$(MAKE) --no-print-directory -j$(JOBS) fuzz-build
	@tests/fuzz/run $(FUZZ_SECONDS) $(FUZZ_BINS)

.PHONY: format lint
C_FILES := $(shell git ls-files '*.c' '*.h' 2>/dev/null)
format:
	@scripts/deps lint
	clang-format -i $(C_FILES)

lint:
	@scripts/deps lint
	scripts/lint

.PHONY: install
install: all
	install -d $(DESTDIR)$(PREFIX)/bin $(DESTDIR)$(PREFIX)/sbin $(DESTDIR)$(PREFIX)/share/man/man1 $(DESTDIR)$(PREFIX)/share/doc/postern
	install -m 755 $(BUILD)/bin/postern $(DESTDIR)$(PREFIX)/bin/
	install -m 755 $(addprefix $(BUILD)/bin/,configd ikemgrd datapathd platformd) $(DESTDIR)$(PREFIX)/sbin/
	install -m 644 images/postern.1 $(DESTDIR)$(PREFIX)/share/man/man1/
	install -m 644 README.md LICENSE $(DESTDIR)$(PREFIX)/share/doc/postern/

-include tests/system/matrix.mk tests/bench/bench.mk tests/captures/captures.mk
