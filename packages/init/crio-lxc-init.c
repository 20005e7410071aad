/*
 * crio-lxc-init FD: map the plan behind FD and run its steps.
 *
 * The only trusted code that runs inside a container. It needs nothing from the rootfs, allocates nothing and
 * decides nothing: what it does is computed in TypeScript (packages/init/src), which also defines this layout.
 */
#include <asm/unistd.h>
#include <linux/errno.h>
#include <linux/mman.h>
#include <stddef.h>
#include <stdint.h>

#define PLAN_BASE 0x100000000ul /* pointers in a plan are final, so it is always mapped here */
#define PLAN_MAGIC 0x316e616c706c7863ul /* "cxlplan1" */
#define PROT_READ_WRITE 3

#define OP_MOVE 0x10000 /* result = args[0] */
#define OP_FAIL 0x10001 /* fail with errno args[0] */
#define OP_STATUS 0x10002 /* result = args[0] as an int: a negative one is an errno */
#define OP_AND 0x10003 /* result = args[0] & args[1] */

#define OPENAT2_TRIES 128 /* EAGAIN: something was renamed or mounted somewhere while ".." was resolved, openat2(2) */

#define ARG_IS_ADDRESS(i) (1u << (i)) /* args[i] is the address of the value, not the value */
#define ZERO_IS_FAILURE (1u << 8)     /* end of file where a byte was promised */
#define SKIP_IF_NONZERO (1u << 9)     /* skip_ok only counts for the parent of a fork */
#define AWAIT_READER (1u << 10)       /* after a failure, stay until whoever reads of it has closed its end */

typedef uint64_t __attribute__((aligned(4))) word; /* of an int in the middle of a structure: OP_STATUS */

struct step {
	uint32_t nr, flags;
	uint64_t args[6];
	uint64_t ignored[2]; /* bit n: errno n is not a failure */
	uint64_t result;     /* address of the 64-bit word that takes the result, or 0 */
	uint32_t skip_ok, skip_ignored;
};

struct plan {
	uint64_t magic, size;
	uint32_t count, tag;
	int64_t report; /* fd that takes the failure record; a step may store another one here */
	const struct step *steps;
};

struct failure {
	uint32_t tag, step, error, reserved;
};

/* As packages/core/src/plan writes them: writeStep and compile of compile.ts, and as record.ts reads them. */
_Static_assert(sizeof(struct step) == 88, "STEP_BYTES");
_Static_assert(offsetof(struct step, nr) == 4 * 0 && offsetof(struct step, flags) == 4 * 1, "number and flags");
_Static_assert(offsetof(struct step, args) == 4 * 2, "arguments");
_Static_assert(offsetof(struct step, ignored) == 4 * 14, "ignored errors");
_Static_assert(offsetof(struct step, result) == 4 * 18, "result");
_Static_assert(offsetof(struct step, skip_ok) == 4 * 20 && offsetof(struct step, skip_ignored) == 4 * 21, "skips");
_Static_assert(sizeof(struct plan) == 40, "HEADER_BYTES");
_Static_assert(offsetof(struct plan, size) == 8, "size");
_Static_assert(offsetof(struct plan, count) == 16 && offsetof(struct plan, tag) == 20, "count and tag");
_Static_assert(offsetof(struct plan, report) == 24, "REPORT_OFFSET");
_Static_assert(offsetof(struct plan, steps) == 32, "address of the steps");
_Static_assert(sizeof(struct failure) == 16, "RECORD_BYTES");
_Static_assert(offsetof(struct failure, tag) == 0 && offsetof(struct failure, step) == 4, "tag and step");
_Static_assert(offsetof(struct failure, error) == 8, "VALUE_OFFSET");

static long call(long nr, const uint64_t *a)
{
#if defined(__x86_64__)
	long ret;
	register uint64_t r10 __asm__("r10") = a[3], r8 __asm__("r8") = a[4], r9 __asm__("r9") = a[5];
	__asm__ volatile("syscall"
			 : "=a"(ret)
			 : "a"(nr), "D"(a[0]), "S"(a[1]), "d"(a[2]), "r"(r10), "r"(r8), "r"(r9)
			 : "rcx", "r11", "memory");
	return ret;
#elif defined(__aarch64__)
	register uint64_t x8 __asm__("x8") = nr, x0 __asm__("x0") = a[0], x1 __asm__("x1") = a[1];
	register uint64_t x2 __asm__("x2") = a[2], x3 __asm__("x3") = a[3], x4 __asm__("x4") = a[4];
	register uint64_t x5 __asm__("x5") = a[5];
	__asm__ volatile("svc 0" : "+r"(x0) : "r"(x8), "r"(x1), "r"(x2), "r"(x3), "r"(x4), "r"(x5) : "memory");
	return x0;
#else
#error "the executor knows x86-64 and arm64"
#endif
}

static __attribute__((noreturn)) void quit(long status)
{
	call(__NR_exit_group, (uint64_t[6]){status});
	__builtin_trap(); /* the container's filter does not let it exit */
}

static long run(const struct step *s)
{
	uint64_t a[6];
	long ret;
	int tries = 0;

	for (int i = 0; i < 6; i++)
		a[i] = s->flags & ARG_IS_ADDRESS(i) ? *(word *)s->args[i] : s->args[i];
	if (s->nr == OP_MOVE)
		return a[0];
	if (s->nr == OP_FAIL)
		return -(long)a[0];
	if (s->nr == OP_STATUS)
		return (int32_t)a[0];
	if (s->nr == OP_AND)
		return a[0] & a[1];
	do
		ret = call(s->nr, a);
	while (ret == -EINTR || (ret == -EAGAIN && s->nr == __NR_openat2 && ++tries < OPENAT2_TRIES));
	return ret == 0 && s->flags & ZERO_IS_FAILURE ? -EPIPE : ret;
}

static int ignores(const struct step *s, long error)
{
	return error < 128 && s->ignored[error / 64] >> error % 64 & 1;
}

static __attribute__((noreturn, used)) void start(const uint64_t *stack)
{
	struct plan head;
	const struct plan *plan = (const struct plan *)PLAN_BASE;
	const char *digit = (const char *)stack[2]; /* stack: argc, argv[0], argv[1] */
	uint64_t fd = 0;

	while (stack[0] > 1 && *digit)
		fd = fd * 10 + (*digit++ - '0');
	if (call(__NR_pread64, (uint64_t[6]){fd, (uint64_t)&head, sizeof(head)}) != sizeof(head) || head.magic != PLAN_MAGIC)
		quit(126);
	if (call(__NR_mmap, (uint64_t[6]){PLAN_BASE, head.size, PROT_READ_WRITE, MAP_PRIVATE | MAP_FIXED_NOREPLACE, fd, 0}) != (long)PLAN_BASE)
		quit(126);
	call(__NR_close, (uint64_t[6]){fd});

	for (uint32_t i = 0; i < plan->count;) {
		const struct step *s = &plan->steps[i];
		long ret = run(s);

		if (ret < 0 && ret > -4096 && !ignores(s, -ret)) {
			struct failure record = {plan->tag, i, -ret, 0};
			ret = call(__NR_write, (uint64_t[6]){plan->report, (uint64_t)&record, sizeof(record)});
			if (ret > 0 && s->flags & AWAIT_READER) /* a struct pollfd that asks for nothing: POLLERR always comes */
				call(__NR_ppoll, (uint64_t[6]){(uint64_t)&(uint64_t){(uint32_t)plan->report}, 1});
			quit(1);
		}
		i++;
		if (ret < 0 && ret > -4096) {
			i += s->skip_ignored;
			continue;
		}
		if (s->result)
			*(uint64_t *)s->result = ret;
		if (ret || !(s->flags & SKIP_IF_NONZERO))
			i += s->skip_ok;
	}
	quit(0);
}

#if defined(__x86_64__)
__asm__(".globl _start\n_start:\n\txor %ebp, %ebp\n\tmov %rsp, %rdi\n\tand $-16, %rsp\n\tcall start\n");
#else
__asm__(".globl _start\n_start:\n\tmov x29, #0\n\tmov x0, sp\n\tb start\n");
#endif
