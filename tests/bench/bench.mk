# `make bench`: throughput, packet rates and latency, beside plain forwarding, kernel-libipsec and wireguard-go.
$(BUILD)/bench/%: $(BUILD)/obj/tests/bench/%.o $(call lib,datapath) $(call lib,configdb) $(call lib,base)
	@mkdir -p $(@D)
	$(CC) $(LDFLAGS) -o $@ $^ $(LDLIBS)

.PHONY: bench bench-build
bench-build: $(BUILD)/bench/static_sa $(BUILD)/bench/pktgen
bench: bench-build all
	BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/bench.py
	BUILD=$(abspath $(BUILD)) /usr/bin/python3 tests/bench/rekey.py
