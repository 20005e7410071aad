/* What the files of the engine share, and what the build generates: the modules of the program. */
#include <quickjs.h>
#include <stddef.h>
#include <stdint.h>

struct module {
	const char *name;
	const uint8_t *bytecode;
	size_t size;
};

/* The first one is the program; the list ends with a name that is NULL. */
extern const struct module modules[];
extern const JSMallocFunctions allocator;
