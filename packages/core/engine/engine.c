/*
 * The engine of a program: QuickJS around its modules, whose bytecode is part of the executable.
 *
 * What a program does is TypeScript over one foreign function, a system call, and memory (packages/core/src/sys). This
 * file sets the engine up, with limits, and decides nothing: it reads no file, no variable and no option.
 */

#include <errno.h>
#include <fcntl.h>
#include <quickjs.h>
#include <signal.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/syscall.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#define MEMORY_LIMIT (256ul << 20)
#define STACK_LIMIT (1ul << 20)
#define COLLECT_AT (8ul << 20) /* most verbs end before */

#if defined(__x86_64__)
#define ARCHITECTURE "x64"
#elif defined(__aarch64__)
#define ARCHITECTURE "arm64"
#else
#error "the programs know x86-64 and arm64"
#endif

extern char **environ;

/* What no system call replaces, by name; all take words, at most six, and return one. libseccomp's headers are glibc's. */
void seccomp_init(void), seccomp_release(void), seccomp_attr_set(void), seccomp_arch_add(void), seccomp_arch_native(void),
	seccomp_arch_resolve_name(void), seccomp_syscall_resolve_name(void), seccomp_syscall_resolve_name_arch(void),
	seccomp_rule_add_array(void), seccomp_export_bpf(void);

#define FUNCTION(f) {#f, (long (*)(long, long, long, long, long, long))(uintptr_t)&f}
static const struct {
	const char *name;
	long (*call)(long, long, long, long, long, long);
} functions[] = {
	FUNCTION(posix_spawn),
	FUNCTION(posix_spawnattr_init),
	FUNCTION(posix_spawnattr_setflags),
	FUNCTION(posix_spawnattr_setsigmask),
	FUNCTION(posix_spawnattr_setsigdefault),
	FUNCTION(posix_spawn_file_actions_init),
	FUNCTION(posix_spawn_file_actions_adddup2),
	FUNCTION(posix_spawn_file_actions_destroy),
	FUNCTION(seccomp_init),
	FUNCTION(seccomp_release),
	FUNCTION(seccomp_attr_set),
	FUNCTION(seccomp_arch_add),
	FUNCTION(seccomp_arch_native),
	FUNCTION(seccomp_arch_resolve_name),
	FUNCTION(seccomp_syscall_resolve_name),
	FUNCTION(seccomp_syscall_resolve_name_arch),
	FUNCTION(seccomp_rule_add_array),
	FUNCTION(seccomp_export_bpf),
};

/* The libseccomp of a glibc machine wants this one function that musl does not have. */
int __fprintf_chk(FILE *file, int flag, const char *format, ...)
{
	va_list arguments;
	int length;

	(void)flag;
	va_start(arguments, format);
	length = vfprintf(file, format, arguments);
	va_end(arguments);
	return length;
}

/* --- text: UTF-8, and a byte that is not part of any as a lone surrogate, U+DC00 + byte --- */

#define IS_ESCAPED_BYTE(p) ((p)[0] == 0xed && ((p)[1] & 0xfe) == 0xb2)

/* Length of the character at `p`, 0 for a byte that begins none. The kernel's names may be any bytes. */
static int character(const uint8_t *p, const uint8_t *end)
{
	int length = *p < 0x80 ? 1 : *p < 0xc2 ? 0 : *p < 0xe0 ? 2 : *p < 0xf0 ? 3 : *p < 0xf5 ? 4 : 0;

	if (end - p < length)
		return 0;
	for (int i = 1; i < length; i++)
		if ((p[i] & 0xc0) != 0x80)
			return 0;
	if (length == 3 && ((*p == 0xe0 && p[1] < 0xa0) || (*p == 0xed && p[1] >= 0xa0)))
		return 0;
	if (length == 4 && ((*p == 0xf0 && p[1] < 0x90) || (*p == 0xf4 && p[1] >= 0x90)))
		return 0;
	return length;
}

static JSValue decode(JSContext *ctx, const uint8_t *text, size_t size)
{
	const uint8_t *p = text, *end = text + size;
	uint8_t *escaped, *to;
	JSValue result;
	int length;

	while (p < end && (length = character(p, end)) > 0)
		p += length;
	if (p == end)
		return JS_NewStringLen(ctx, (const char *)text, size);
	to = escaped = js_malloc(ctx, 3 * size);
	if (!escaped)
		return JS_EXCEPTION;
	for (p = text; p < end;) {
		length = character(p, end);
		if (length == 0) {
			*to++ = 0xed;
			*to++ = 0xb0 | *p >> 6;
			*to++ = 0x80 | (*p++ & 0x3f);
		}
		for (; length > 0; length--)
			*to++ = *p++;
	}
	result = JS_NewStringLen(ctx, (const char *)escaped, to - escaped);
	js_free(ctx, escaped);
	return result;
}

/* The bytes of a string, ended by NUL; to be freed. */
static uint8_t *encode(JSContext *ctx, JSValueConst value, size_t *size)
{
	const char *text = JS_ToCStringLen(ctx, size, value);
	const uint8_t *from = (const uint8_t *)text, *end;
	uint8_t *bytes, *to;

	if (!text)
		return NULL;
	end = from + *size;
	bytes = to = js_malloc(ctx, *size + 1);
	while (bytes && from < end) {
		if (end - from >= 3 && IS_ESCAPED_BYTE(from)) {
			*to++ = from[1] << 6 | (from[2] & 0x3f);
			from += 3;
		} else
			*to++ = *from++;
	}
	JS_FreeCString(ctx, text);
	if (bytes) {
		*to = 0;
		*size = to - bytes;
	}
	return bytes;
}

/* --- the foreign functions --- */

/* Where the bytes of a typed array are. */
static uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size)
{
	size_t offset, length, element, whole;
	JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, &length, &element);
	uint8_t *start;

	if (JS_IsException(buffer))
		return NULL;
	start = JS_GetArrayBuffer(ctx, &whole, buffer);
	JS_FreeValue(ctx, buffer);
	*size = length;
	/* An empty array has no address; the kernel looks at none of its bytes. */
	return start ? start + offset : whole == 0 ? (uint8_t *)&allocator : NULL;
}

/* A machine word: a number, a bigint, the address of a typed array, or of a string's bytes, which `text` keeps. */
static int word(JSContext *ctx, JSValueConst value, long *result, uint8_t **text)
{
	int64_t number;
	size_t size;

	*result = 0;
	if (JS_IsNull(value) || JS_IsUndefined(value))
		return 0;
	if (JS_IsString(value)) {
		*text = encode(ctx, value, &size);
		*result = (long)*text;
		if (*text && strlen((char *)*text) != size) {
			JS_ThrowTypeError(ctx, "a string with a NUL byte is no argument of a system call");
			return -1;
		}
		return *text ? 0 : -1;
	}
	if (JS_IsObject(value)) {
		*result = (long)bytes_of(ctx, value, &size);
		return *result ? 0 : -1;
	}
	if (JS_ToInt64Ext(ctx, &number, value))
		return -1;
	*result = number;
	return 0;
}

static JSValue invoke(JSContext *ctx, int argc, JSValueConst *argv, long (*function)(const long *))
{
	uint8_t *texts[7] = {0};
	long words[7] = {0}, result = 0;
	int failed = 0;

	for (int i = 0; i < argc && i < 7 && !failed; i++)
		failed = word(ctx, argv[i], &words[i], &texts[i]);
	if (!failed)
		result = function(words);
	for (int i = 0; i < 7; i++)
		js_free(ctx, texts[i]);
	return failed ? JS_EXCEPTION : JS_NewInt64(ctx, result);
}

static long kernel(const long *w)
{
	long result = syscall(w[0], w[1], w[2], w[3], w[4], w[5], w[6]);

	return result == -1 ? -errno : result;
}

static long library(const long *w)
{
	for (size_t i = 0; i < sizeof(functions) / sizeof(*functions); i++)
		if (!strcmp(functions[i].name, (const char *)w[0]))
			return functions[i].call(w[1], w[2], w[3], w[4], w[5], w[6]);
	abort(); /* a name that is misspelt in the program */
}

/* syscall(number, ...): what the kernel returns, an errno negated. */
static JSValue engine_syscall(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	return invoke(ctx, argc, argv, kernel);
}

/* call(name, ...): what one of the functions returns. */
static JSValue engine_call(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	return JS_IsString(argv[0]) ? invoke(ctx, argc, argv, library) : JS_ThrowTypeError(ctx, "no name of a function");
}

/* address(array): where its bytes are, as long as something keeps it. */
static JSValue engine_address(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	return bytes ? JS_NewInt64(ctx, (int64_t)bytes) : JS_EXCEPTION;
}

/* encode(text): its bytes, as an ArrayBuffer. */
static JSValue engine_encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *bytes = encode(ctx, argv[0], &size);
	JSValue buffer;

	if (!bytes)
		return JS_EXCEPTION;
	buffer = JS_NewArrayBufferCopy(ctx, bytes, size);
	js_free(ctx, bytes);
	return buffer;
}

/* decode(array): the text of its bytes. */
static JSValue engine_decode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	size_t size;
	uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	return bytes ? decode(ctx, bytes, size) : JS_EXCEPTION;
}

static JSValue texts(JSContext *ctx, char **strings)
{
	JSValue array = JS_NewArray(ctx);

	for (uint32_t i = 0; strings[i]; i++)
		JS_SetPropertyUint32(ctx, array, i, decode(ctx, (uint8_t *)strings[i], strlen(strings[i])));
	return array;
}

static void add_function(JSContext *ctx, JSValue object, const char *name, JSCFunction *function, int length)
{
	JS_SetPropertyStr(ctx, object, name, JS_NewCFunction(ctx, function, name, length));
}

/* globalThis.engine, which packages/core/src/sys/engine.ts describes. */
static void add_engine(JSContext *ctx, char **argv, const struct timespec *started)
{
	JSValue engine = JS_NewObject(ctx), global = JS_GetGlobalObject(ctx);

	add_function(ctx, engine, "syscall", engine_syscall, 7);
	add_function(ctx, engine, "call", engine_call, 7);
	add_function(ctx, engine, "address", engine_address, 1);
	add_function(ctx, engine, "encode", engine_encode, 1);
	add_function(ctx, engine, "decode", engine_decode, 1);
	JS_SetPropertyStr(ctx, engine, "arch", JS_NewString(ctx, ARCHITECTURE));
	JS_SetPropertyStr(ctx, engine, "arguments", texts(ctx, argv));
	JS_SetPropertyStr(ctx, engine, "environment", texts(ctx, environ));
	JS_SetPropertyStr(ctx, engine, "startedAt", JS_NewFloat64(ctx, started->tv_sec * 1e3 + started->tv_nsec / 1e6));
	JS_SetPropertyStr(ctx, global, "engine", engine);
	JS_FreeValue(ctx, global);
}

/* --- the modules --- */

static JSModuleDef *load(JSContext *ctx, const char *name, void *opaque)
{
	const struct module *module = modules;
	JSValue value;

	while (module->name && strcmp(module->name, name))
		module++;
	if (!module->name) {
		JS_ThrowReferenceError(ctx, "the program has no module %s", name);
		return NULL;
	}
	value = JS_ReadObject(ctx, module->bytecode, module->size, JS_READ_OBJ_BYTECODE);
	if (JS_IsException(value))
		return NULL;
	/* The context owns its modules. */
	JS_FreeValue(ctx, value);
	return JS_VALUE_GET_PTR(value);
}

/* Runs the first module and all that it waits for; returns the promise of its end. */
static JSValue run(JSContext *ctx)
{
	JSValue module = JS_ReadObject(ctx, modules->bytecode, modules->size, JS_READ_OBJ_BYTECODE), end;
	JSContext *next;

	if (JS_IsException(module) || JS_ResolveModule(ctx, module))
		return JS_EXCEPTION;
	end = JS_EvalFunction(ctx, module);
	while (JS_ExecutePendingJob(JS_GetRuntime(ctx), &next) > 0)
		;
	return end;
}

static int fail(JSContext *ctx, JSValue error)
{
	const char *text = JS_ToCString(ctx, error);

	dprintf(2, "internal error: %s\n", text ? text : "out of memory");
	return 1;
}

/* A descriptor 0, 1 or 2 that is closed would become that of the first file that is opened. */
static int standard_descriptors(void)
{
	for (int fd = 0; fd < 3; fd++)
		if (fcntl(fd, F_GETFD) < 0 && open("/dev/null", O_RDWR) != fd)
			return -1;
	return 0;
}

/* Half of what the caller allows is left for the functions that do not look how deep they are. */
static size_t stack_limit(void)
{
	struct rlimit allowed;

	return !getrlimit(RLIMIT_STACK, &allowed) && allowed.rlim_cur / 2 < STACK_LIMIT ? allowed.rlim_cur / 2 : STACK_LIMIT;
}

int main(int argc, char **argv)
{
	struct timespec started;
	clock_gettime(CLOCK_MONOTONIC, &started); /* no system call: the kernel maps this clock into the process */
	JSRuntime *runtime = JS_NewRuntime2(&allocator, NULL);
	JSContext *ctx = runtime ? JS_NewContextRaw(runtime) : NULL;
	JSValue end;

	if (!ctx || standard_descriptors())
		return 125;
	signal(SIGPIPE, SIG_IGN);
	JS_SetMemoryLimit(runtime, MEMORY_LIMIT);
	JS_SetMaxStackSize(runtime, stack_limit());
	JS_SetGCThreshold(runtime, COLLECT_AT);
	JS_SetModuleLoaderFunc(runtime, NULL, load, NULL);
	/* No eval: nothing that a program reads becomes code. */
	JS_AddIntrinsicBaseObjects(ctx);
	JS_AddIntrinsicDate(ctx);
	JS_AddIntrinsicRegExpCompiler(ctx);
	JS_AddIntrinsicRegExp(ctx);
	JS_AddIntrinsicJSON(ctx);
	JS_AddIntrinsicMapSet(ctx);
	JS_AddIntrinsicTypedArrays(ctx);
	JS_AddIntrinsicPromise(ctx);
	add_engine(ctx, argv, &started);
	end = run(ctx);
	if (JS_IsException(end))
		return fail(ctx, JS_GetException(ctx));
	if (JS_PromiseState(ctx, end) == JS_PROMISE_REJECTED)
		return fail(ctx, JS_PromiseResult(ctx, end));
	return 0;
}
