/*
 * The engine's memory: what it frees is kept by its size for the next of that size. musl's malloc costs a short verb a
 * quarter of its time, and verbs that live long could not do with one that frees nothing.
 *
 * A block is the number of its list and what follows, which is aligned to 16 bytes. Small ones are cut from chunks, a large
 * one is a mapping of its own. libseccomp gets its memory here, too: of its many small blocks musl's malloc maps and unmaps
 * hundreds one by one.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include "engine.h"

#define CHUNK (256ul << 10)
#define HEADER sizeof(size_t)
#define ALIGNMENT 16
#define LARGE (64ul << 10)
#define LISTS 80

static char *unused, *end;
static void *lists[LISTS]; /* of free blocks; each begins with the next */

static size_t *header(const void *block)
{
	return (size_t *)block - 1;
}

/* Of `size` bytes with the header: up to 512 a list for every 16, then four for every power of two. */
static size_t list_of(size_t size)
{
	int power = 63 - __builtin_clzl((size - 1) | 1);

	return size <= 512 ? (size + 15) / 16 : 33 + 4 * (power - 9) + ((size - 1) >> (power - 2) & 3);
}

static size_t size_of(size_t list)
{
	return list <= 32 ? 16 * list : (5 + (list - 33) % 4) << ((list - 33) / 4 + 7);
}

static void *map(size_t size)
{
	void *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	return at == MAP_FAILED ? NULL : at;
}

/* What can be used of a block. */
static size_t usable_size(const void *block)
{
	return !block ? 0 : *header(block) < LISTS ? size_of(*header(block)) - HEADER : *header(block);
}

static void *take(size_t size)
{
	size_t list = size > LARGE ? size : list_of(size + HEADER), whole;
	char *block;

	if (list < LISTS && lists[list]) {
		void *reused = lists[list];
		lists[list] = *(void **)reused;
		return reused;
	}
	whole = list < LISTS ? size_of(list) : ALIGNMENT + size;
	if (list < LISTS && (size_t)(end - unused) < whole) {
		unused = map(CHUNK);
		end = unused ? unused + CHUNK - ALIGNMENT : NULL;
	}
	block = list < LISTS ? unused : map(whole);
	if (!block)
		return NULL;
	if (list < LISTS)
		unused += whole;
	block += ALIGNMENT;
	*header(block) = list;
	return block;
}

static void give(void *block)
{
	size_t list = *header(block);

	if (list >= LISTS) {
		munmap((char *)block - ALIGNMENT, ALIGNMENT + list);
		return;
	}
	*(void **)block = lists[list];
	lists[list] = block;
}

static void *allocate(JSMallocState *state, size_t size)
{
	/* What is in use may be above the limit, because blocks are larger than what was asked for. */
	size_t left = state->malloc_size < state->malloc_limit ? state->malloc_limit - state->malloc_size : 0;
	void *block = size > left ? NULL : take(size);

	state->malloc_count += block != NULL;
	state->malloc_size += usable_size(block);
	return block;
}

static void release(JSMallocState *state, void *block)
{
	if (!block)
		return;
	state->malloc_count--;
	state->malloc_size -= usable_size(block);
	give(block);
}

static void *reallocate(JSMallocState *state, void *block, size_t size)
{
	size_t before = usable_size(block);
	void *other = NULL;

	if (size > 0 && size <= before && size >= before / 2)
		return block;
	if (size > 0) {
		other = allocate(state, size);
		if (!other)
			return NULL;
		if (block) /* memcpy(3) of nothing demands an address, too */
			memcpy(other, block, size < before ? size : before);
	}
	release(state, block);
	return other;
}

const JSMallocFunctions allocator = {allocate, release, reallocate, usable_size};

/* --- the C library's, for what is linked in --- */

void *malloc(size_t size)
{
	void *block = size > PTRDIFF_MAX ? NULL : take(size);

	if (!block)
		errno = ENOMEM;
	return block;
}

void free(void *block)
{
	if (block)
		give(block);
}

void *calloc(size_t count, size_t size)
{
	void *block = size > 0 && count > PTRDIFF_MAX / size ? malloc(SIZE_MAX) : malloc(count * size);

	return block ? memset(block, 0, count * size) : NULL;
}

void *realloc(void *block, size_t size)
{
	size_t before = usable_size(block);
	void *other = malloc(size);

	if (!other)
		return NULL;
	if (block)
		memcpy(other, block, size < before ? size : before);
	free(block);
	return other;
}
