# A capture with keys of every case that an engineer studies, and a guide to them.

.PHONY: captures
captures: all
	@scripts/deps check
	@POSTERN_BIN=$(abspath $(BUILD))/bin tests/captures/shoot.py $(BUILD)/captures
