/* What the build generates: the modules of the program, and what is linked in for it. Both lists end with a name that is NULL. */
#include <quickjs.h>
#include <stddef.h>
#include <stdint.h>

struct module {
	const char *name;
	const uint8_t *bytecode;
	size_t size;
};

/* All take words, at most six, and return one. */
struct function {
	const char *name;
	long (*call)(long, long, long, long, long, long);
};

/* The first one is the program. */
extern const struct module modules[];
extern const struct function functions[];
