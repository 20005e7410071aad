/*
 * The memory of the engine and of what is linked in: what is freed is kept by its size for the next of that size. musl's
 * malloc costs a short verb a quarter of its time, and verbs that live long could not do with one that frees nothing.
 *
 * Small blocks are cut from chunks, a large one is a mapping of its own. There is one thread.
 */
#include <malloc.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#define CHUNK (256ul << 10)
#define LARGE (64ul << 10)
#define ALIGNMENT 16
#define LISTS 60 /* 32 for every 16 bytes up to 512, then four for every power of two */
#define MAPPED LISTS

struct header {
	uint32_t usable; /* bytes that follow */
	uint32_t list;
};

static char *unused, *end;
static void *lists[LISTS]; /* of free blocks; each begins with the next */

/* Memory behind which the first block, after its header, is aligned. */
static void *map(size_t size, int populate)
{
	char *at = mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | populate, -1, 0);

	return at == MAP_FAILED ? NULL : at + ALIGNMENT - sizeof(struct header);
}

static void *cut(size_t whole)
{
	if ((size_t)(end - unused) < whole) {
		/* A verb fills most of it: all at once costs less than a fault for each page. */
		unused = map(CHUNK, MAP_POPULATE);
		end = unused ? unused + CHUNK - ALIGNMENT : NULL;
	}
	return unused ? (unused += whole) - whole : NULL;
}

void *malloc(size_t size)
{
	size_t whole = size + sizeof(struct header), list = MAPPED, shift, steps;
	struct header *header;
	void *reused;

	if (size <= LARGE - sizeof(struct header)) {
		shift = whole <= 512 ? 4 : 61 - __builtin_clzl(whole - 1);
		steps = (whole - 1) >> shift;
		list = shift == 4 ? steps : 4 * shift + steps;
		reused = lists[list];
		if (reused) {
			lists[list] = *(void **)reused;
			return reused;
		}
		whole = (steps + 1) << shift;
		size = whole - sizeof(struct header);
		header = cut(whole);
	} else
		header = size < UINT32_MAX - ALIGNMENT ? map(size + ALIGNMENT, 0) : NULL;
	if (!header)
		return NULL;
	header->usable = size;
	header->list = list;
	return header + 1;
}

void free(void *block)
{
	struct header *header;

	if (!block)
		return;
	header = (struct header *)block - 1;
	if (header->list == MAPPED) {
		munmap((char *)block - ALIGNMENT, ALIGNMENT + header->usable);
		return;
	}
	*(void **)block = lists[header->list];
	lists[header->list] = block;
}

/* musl's asks its own malloc. */
void *calloc(size_t count, size_t size)
{
	void *block = size && count > SIZE_MAX / size ? NULL : malloc(count * size);

	return block ? memset(block, 0, count * size) : NULL;
}

size_t malloc_usable_size(void *block)
{
	return block ? ((struct header *)block - 1)->usable : 0;
}

void *realloc(void *block, size_t size)
{
	size_t before = malloc_usable_size(block);
	void *other;

	if (block && size <= before && size >= before / 2)
		return block;
	other = malloc(size);
	if (other && block) {
		memcpy(other, block, size < before ? size : before);
		free(block);
	}
	return other;
}
