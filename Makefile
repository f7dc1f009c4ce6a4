# Thin wrapper over meson. `make` leaves build/lyre, build/lyre-user and the links build/lyre-ARCH.
BUILD ?= build
JOBS  ?= $(shell nproc)
MESON_FLAGS ?=
# What the set-up has to provide for the goals asked for.
FOR := $(if $(filter test test-full bench,$(MAKECMDGOALS)),test,$(if $(filter demo,$(MAKECMDGOALS)),demo,build))

.PHONY: all setup demo test test-full bench clean configure
all: configure
	@ninja -j$(JOBS) -C $(BUILD)
	@tools/links.sh $(BUILD)

# A file that comes or goes changes the source lists (filename is identity), so the list is part of the configuration;
# so is whether there is a cmocka for the unit tests.
configure: | setup-quiet
	@mkdir -p $(BUILD)
	@{ find src tests tools -name '*.c' -o -name meson.build | sort; pkg-config --modversion cmocka 2>/dev/null || true; } > $(BUILD)/.files.new
	@if [ ! -e $(BUILD)/build.ninja ]; then \
	    rm -f $(BUILD)/.files; meson setup $(BUILD) $(MESON_FLAGS) >$(BUILD)/.setup.log 2>&1 || { cat $(BUILD)/.setup.log; exit 1; }; \
	elif ! cmp -s $(BUILD)/.files $(BUILD)/.files.new; then \
	    meson setup --reconfigure $(BUILD) >$(BUILD)/.setup.log 2>&1 || { cat $(BUILD)/.setup.log; exit 1; }; \
	fi
	@mv $(BUILD)/.files.new $(BUILD)/.files

# Packages: only what building and testing need; does nothing when they are there.
setup:
	@tools/setup.sh
.PHONY: setup-quiet
setup-quiet:
	@tools/setup.sh --quiet $(FOR)

demo: all
	@tests/demo.sh $(BUILD)

test: all
	@tests/run.sh $(BUILD)

test-full: all
	@tests/run.sh --full $(BUILD)

# libFuzzer (clang): every target for FUZZ_SECONDS; what it finds is left in build-fuzz/found.
FUZZ_SECONDS ?= 60
fuzz:
	@tests/fuzz/run.sh $(FUZZ_SECONDS)

bench: all
	@tests/bench/bench.sh $(BUILD)
	@tests/bench/system.sh $(BUILD)

clean:
	rm -rf build build-*
