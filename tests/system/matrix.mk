# Every capability against other vendors' gateways; what `make check` runs of it is matrix-slice.

.PHONY: matrix matrix-slice
matrix: all
	@scripts/deps check
	@tests/system/matrix.py --bin $(abspath $(BUILD))/bin

matrix-slice:
	@tests/system/matrix.py --slice --bin $(abspath $(BUILD))/bin
