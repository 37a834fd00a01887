# ledgerflow: the extension (PGXS), the client library, tests and the demo.
# `make help` lists the targets. Works before PostgreSQL's headers are installed: `make test` and
# `make demo` install what they need and then call make again.

EXTENSION  := ledgerflow
EXTVERSION := $(shell sed -n "s/^default_version *= *'\([^']*\)'.*/\1/p" $(EXTENSION).control)
BUILD      := build

PG_CONFIG ?= $(firstword $(wildcard /usr/lib/postgresql/15/bin/pg_config) pg_config)
PGXS      := $(wildcard $(shell $(PG_CONFIG) --pgxs 2>/dev/null))

# Both compilers read these: g++ for the library, clang for the bitcode that the server's JIT can inline.
WARNINGS := -Wall -Wextra -Wconversion -Wnon-virtual-dtor -Woverloaded-virtual $(if $(filter-out 0,$(WERROR)),-Werror)
# A constructor's parameter may be called like the member it fills; g++ has a milder form for that.
SHADOW    = $(if $(findstring clang,$(CXX)),-Wshadow,-Wshadow=local)
CXX_MODE := -std=c++17 -fvisibility=hidden -fvisibility-inlines-hidden

# The store in memory is for tests, SHA-256 for the client: the server has its own.
CPP_FILES  := $(sort $(filter-out src/core/memory_store.cpp src/core/sha256.cpp,$(wildcard src/core/*.cpp)) $(wildcard src/ext/*.cpp))
SQL_PARTS  := $(sort $(wildcard sql/[0-9]*.sql))
SQL_SCRIPT := sql/$(EXTENSION)--$(EXTVERSION).sql
# Versions that are out, the oldest first: their scripts, and the updates between them, are kept and never change.
RELEASED   := 0.1.0
FROZEN     := $(RELEASED:%=sql/$(EXTENSION)--%.sql)
SQL_UPDATE := sql/$(EXTENSION)--$(lastword $(RELEASED))--$(EXTVERSION).sql
UPDATE_OF   = sql/updates/update.awk $(lastword $(FROZEN)) $(patsubst sql/$(EXTENSION)--%,sql/updates/%,$(SQL_UPDATE))
FORMATTED   = $(shell find src test bench -name '*.cpp' -o -name '*.hpp' 2>/dev/null)
CLIENT     := $(if $(filter no,$(WITH_CLIENT)),,$(wildcard src/client/Makefile))

CLANG_FORMAT ?= $(firstword $(shell command -v clang-format-14 clang-format) clang-format)
CLANG_TIDY   ?= $(firstword $(shell command -v clang-tidy-14 clang-tidy) clang-tidy)

# .deps is flat: two sources of one name would overwrite each other's dependencies.
ifneq ($(words $(notdir $(CPP_FILES))),$(words $(sort $(notdir $(CPP_FILES)))))
$(error two source files have the same name: $(CPP_FILES))
endif

.DEFAULT_GOAL := all
.DELETE_ON_ERROR:
.PHONY: all install installcheck clean test test-unit demo demo-stop format format-check tidy help
.PHONY: client client-install client-clean

ifneq ($(PGXS),)

MODULE_big = $(EXTENSION)
OBJS       = $(CPP_FILES:.cpp=.o)
DATA       = $(FROZEN) $(filter-out $(SQL_UPDATE),$(wildcard sql/$(EXTENSION)--*--*.sql))
DATA_built = $(SQL_SCRIPT) $(SQL_UPDATE)

PG_CPPFLAGS += -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)
PG_CXXFLAGS += $(CXX_MODE) $(WARNINGS) $(SHADOW)
SHLIB_LINK  += -lstdc++

EXTRA_CLEAN = $(OBJS:.o=.d)

# Inputs lie in test/sql, expected output in expected/, results under build/.
REGRESS        = $(sort $(basename $(notdir $(wildcard test/sql/*.sql))))
REGRESS_INPUT  = $(BUILD)/installcheck/input
REGRESS_OPTS   = --inputdir=$(REGRESS_INPUT) --outputdir=$(BUILD)/installcheck --load-extension=$(EXTENSION) \
    $(if $(filter-out 13 14 15,$(MAJORVERSION)),--expecteddir=$(REGRESS_INPUT))
REGRESS_PREP   = regress-input
ISOLATION      = $(sort $(basename $(notdir $(wildcard test/isolation/specs/*.spec))))
ISOLATION_OPTS = --inputdir=test/isolation --outputdir=$(BUILD)/installcheck/isolation --load-extension=$(EXTENSION) \
    $(if $(filter-out 13 14 15,$(MAJORVERSION)),--expecteddir=test/isolation)

override autodepend = yes
# SANITIZE=undefined: a finding ends the backend, as a crash that nobody overlooks. scripts/server.sh builds it apart.
ifneq ($(SANITIZE),)
override with_llvm = no
SHLIB_LINK += -fsanitize=$(SANITIZE)
endif
include $(PGXS)
ifneq ($(SANITIZE),)
# PGXS has -fwrapv, which would make every signed overflow a right one.
override CXXFLAGS := $(filter-out -fwrapv -O2,$(CXXFLAGS)) -O1 -fno-omit-frame-pointer -D_GLIBCXX_ASSERTIONS \
    -fsanitize=$(SANITIZE) -fno-sanitize-recover=all
endif

COMPILE.cxx.bc += $(CXX_MODE) $(WARNINGS) -Wshadow
$(OBJS) $(OBJS:.o=.bc): Makefile
# PGXS keeps track of what the objects include (headers, .def, .sql) in .deps; this does it for the bitcode.
COMPILE.cxx.bc += -MMD -MP
-include $(OBJS:.o=.d)

# A file that was removed is noticed too: the lists of inputs are inputs themselves.
remember = $(shell mkdir -p $(BUILD) && echo '$(2)' | cmp -s - $(BUILD)/$(1) || echo '$(2)' > $(BUILD)/$(1))$(BUILD)/$(1)
$(EXTENSION)$(DLSUFFIX): $(call remember,objects.list,$(OBJS))
$(SQL_SCRIPT): $(SQL_PARTS) $(EXTENSION).control $(call remember,sql.list,$(SQL_PARTS))
	cat $(SQL_PARTS) < /dev/null > $@
$(SQL_UPDATE): $(UPDATE_OF) $(SQL_PARTS) $(EXTENSION).control $(call remember,sql.list,$(SQL_PARTS))
	awk -f $(UPDATE_OF) $(SQL_PARTS) > $@

.PHONY: regress-input
regress-input:
	@mkdir -p $(REGRESS_INPUT) $(BUILD)/installcheck/isolation
	@ln -sfn $(CURDIR)/test/sql $(REGRESS_INPUT)/sql
	@ln -sfn $(CURDIR)/expected $(REGRESS_INPUT)/expected

else

all install installcheck:
	@echo "PostgreSQL's build files (PGXS) were not found: '$(PG_CONFIG) --pgxs' names nothing." >&2
	@echo "On Debian run 'scripts/packages.sh build' (package postgresql-server-dev-15)," >&2
	@echo "elsewhere give the server's own: make PG_CONFIG=/path/to/pg_config" >&2
	@exit 1

clean:
	rm -rf .deps $(EXTENSION).so $(SQL_SCRIPT) $(SQL_UPDATE) $(foreach suffix,o bc d,$(CPP_FILES:.cpp=.$(suffix)))

endif

ifneq ($(CLIENT),)
ifneq ($(PGXS),)
all: client
install: client-install
endif
clean: client-clean
client:
	$(MAKE) -C src/client all
	$(MAKE) -C src/client/command all
client-install:
	$(MAKE) -C src/client install
	$(MAKE) -C src/client/command install
client-clean:
	$(MAKE) -C src/client clean
	$(MAKE) -C src/client/command clean
endif

# Private servers are stopped before their files go.
clean: stop-servers
.PHONY: stop-servers
stop-servers:
	@scripts/server.sh drop-all
	rm -rf $(BUILD)

test:
	@scripts/test.sh

test-unit:
	@scripts/test.sh unit

demo:
	@demo/run.sh

demo-stop:
	@demo/stop.sh

.PHONY: bench torture
bench:
	@bench/run.sh

torture:
	@scripts/torture.sh

format:
	$(CLANG_FORMAT) -i $(FORMATTED)

format-check:
	$(CLANG_FORMAT) --dry-run -Werror $(FORMATTED)

tidy:
	$(CLANG_TIDY) --quiet $(CPP_FILES) -- -std=c++17 -Isrc -isystem $(shell $(PG_CONFIG) --includedir-server)

help:
	@echo 'make               build the extension, the client library and the command ledgerflow'
	@echo 'make install       install them (DESTDIR and PG_CONFIG are honoured)'
	@echo 'make demo          private server, a real journal imported, compared and left running'
	@echo 'make demo-stop     stop it and remove its files'
	@echo 'make test          install what is missing, build, run every test on a private server'
	@echo 'make test-unit     only the unit tests; scripts/test.sh SUITE... runs the suites you name'
	@echo 'make bench         the benchmark, half an hour; BENCH_QUICK=1 make bench takes about two'
	@echo 'make torture       crashes, concurrency, copies, attacks, fuzzing and a soak for an hour; TORTURE_MINUTES=N'
	@echo 'make installcheck  regression tests against an installed, running server (PGHOST, PGPORT, ...)'
	@echo 'make format        rewrite the C++ sources in the project style; format-check only looks'
	@echo 'make tidy          clang-tidy over the extension'
	@echo 'make clean         remove everything that was built, private servers included'
