/*
 * Linked into the program that makes the engine's profile, around mmap and main: the heap and the stack lie at the same
 * addresses each time, because addresses are hashed and counted.
 */
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>

#define FIRST ((char *)0x100000000)
#define STACK_SIZE (8ul << 20)
#define ALIGNED(size) (((size) + 0xffff) & ~0xfffful)

void *__real_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset);
int __real_main(int argc, char **argv);

void *__wrap_mmap(void *at, size_t size, int protection, int flags, int fd, off_t offset)
{
	static char *next = FIRST;

	at = next;
	next += ALIGNED(size);
	return __real_mmap(at, size, protection, flags | MAP_FIXED_NOREPLACE, fd, offset);
}

static void *run(void *argv)
{
	exit(__real_main(1, argv));
}

int __wrap_main(int argc, char **argv)
{
	void *stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	pthread_attr_t attributes;
	pthread_t thread;

	if (stack == MAP_FAILED || pthread_attr_init(&attributes) || pthread_attr_setstack(&attributes, stack, STACK_SIZE))
		return 1;
	return pthread_create(&thread, &attributes, run, argv) || pthread_join(thread, NULL);
}
