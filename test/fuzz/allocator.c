/* The engine's memory in the fuzzer: every block is one of malloc's, whose ends and whose end AddressSanitizer watches. */
#include <malloc.h>
#include <stdlib.h>
#include <string.h>

#include "engine.h"

static size_t usable_size(const void *block)
{
	return malloc_usable_size((void *)block);
}

static void *allocate(JSMallocState *state, size_t size)
{
	size_t left = state->malloc_size < state->malloc_limit ? state->malloc_limit - state->malloc_size : 0;
	void *block = size > left ? NULL : malloc(size);

	state->malloc_count += block != NULL;
	state->malloc_size += usable_size(block);
	return block;
}

static void release(JSMallocState *state, void *block)
{
	state->malloc_count -= block != NULL;
	state->malloc_size -= usable_size(block);
	free(block);
}

/* Always moves: what keeps the old address is seen. */
static void *reallocate(JSMallocState *state, void *block, size_t size)
{
	void *other = size > 0 ? allocate(state, size) : NULL;
	size_t kept = usable_size(block) < size ? usable_size(block) : size;

	if (size > 0 && !other)
		return NULL;
	if (kept > 0)
		memcpy(other, block, kept);
	release(state, block);
	return other;
}

const JSMallocFunctions allocator = {allocate, release, reallocate, usable_size};
