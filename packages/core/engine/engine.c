/*
 * The engine of a program: QuickJS around its modules, whose bytecode is part of the executable.
 *
 * What a program does is TypeScript over one foreign function, a system call, and memory (packages/core/src/sys). This
 * file sets the engine up, with limits, and decides nothing: it reads no file, no variable and no option.
 */

#include <cutils.h>
#include <errno.h>
#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

#include "engine.h"

#define MEMORY_LIMIT (256ul << 20)
#define STACK_LIMIT (4ul << 20)
#define COLLECT_AT (8ul << 20) /* most verbs end before */

extern char **environ;

/* --- text: UTF-8, and a byte that is not part of any as a lone surrogate, U+DC00 + byte --- */

#define IS_ESCAPED_BYTE(p) ((p)[0] == 0xed && ((p)[1] & 0xfe) == 0xb2)

/* Length of the character at `p`, 0 for a byte that begins none. The kernel's names may be any bytes. */
static size_t character(const uint8_t *p, const uint8_t *end)
{
	const uint8_t *next;
	int code = unicode_from_utf8(p, end - p < 4 ? end - p : 4, &next);

	return code < 0 || code > 0x10ffff || (code >= 0xd800 && code < 0xe000) ? 0 : next - p;
}

static JSValue decode(JSContext *ctx, const void *text, size_t size)
{
	const uint8_t *p = text, *end = p + size;
	uint8_t *escaped, *to;
	size_t length;
	JSValue result;

	while (p < end && (length = *p < 0x80 ? 1 : character(p, end)) > 0)
		p += length;
	if (p == end)
		return JS_NewStringLen(ctx, text, size);
	to = escaped = js_malloc(ctx, 3 * size);
	if (!escaped)
		return JS_EXCEPTION;
	for (p = text; p < end; p += length) {
		length = character(p, end);
		memcpy(to, p, length);
		to += length;
		if (length == 0)
			to += unicode_to_utf8(to, 0xdc00 + *p++);
	}
	result = JS_NewStringLen(ctx, (const char *)escaped, to - escaped);
	js_free(ctx, escaped);
	return result;
}

/* The bytes of a string, ended by NUL, for JS_FreeCString. */
static const char *encode(JSContext *ctx, JSValueConst value, size_t *size)
{
	const char *text = JS_ToCStringLen(ctx, size, value);
	uint8_t *from = (uint8_t *)text, *end = from + *size, *to;

	if (!text || !memchr(text, 0xed, *size))
		return text;
	/* What is not ASCII is a copy, so that it may be changed. */
	for (to = from; from < end; from++) {
		if (end - from >= 3 && IS_ESCAPED_BYTE(from)) {
			*to++ = from[1] << 6 | (from[2] & 0x3f);
			from += 2;
		} else
			*to++ = *from;
	}
	*to = 0;
	*size = (char *)to - text;
	return text;
}

/* --- the foreign functions --- */

/* Where the bytes of a typed array are. */
static uint8_t *bytes_of(JSContext *ctx, JSValueConst value, size_t *size)
{
	size_t offset, whole;
	JSValue buffer = JS_GetTypedArrayBuffer(ctx, value, &offset, size, NULL);
	uint8_t *start;

	if (JS_IsException(buffer))
		return NULL;
	start = JS_GetArrayBuffer(ctx, &whole, buffer);
	JS_FreeValue(ctx, buffer);
	/* An empty array has no address; the kernel looks at none of its bytes. */
	return start ? start + offset : whole == 0 ? (uint8_t *)"" : NULL;
}

/* A machine word: a number, a bigint, the address of a typed array, or of a string's bytes, which `text` keeps. */
static int word(JSContext *ctx, JSValueConst value, int64_t *result, const char **text)
{
	size_t size;

	if (JS_IsString(value)) {
		*text = encode(ctx, value, &size);
		*result = (int64_t)*text;
		if (!*text || strlen(*text) == size)
			return *text ? 0 : -1;
		JS_ThrowTypeError(ctx, "a string with a NUL byte is no argument of a system call");
		return -1;
	}
	if (JS_IsObject(value)) {
		*result = (int64_t)bytes_of(ctx, value, &size);
		return *result ? 0 : -1;
	}
	return JS_IsNull(value) || JS_IsUndefined(value) ? 0 : JS_ToInt64Ext(ctx, result, value);
}

static long kernel(const int64_t *w)
{
	long result = syscall(w[0], w[1], w[2], w[3], w[4], w[5], w[6]);

	return result == -1 ? -errno : result;
}

static long library(const int64_t *w)
{
	const struct function *function = functions;

	while (strcmp(function->name, (const char *)w[0]))
		function++;
	return function->call(w[1], w[2], w[3], w[4], w[5], w[6]);
}

/* syscall(number, ...): what the kernel returns, an errno negated. call(name, ...): what one of the functions returns. */
static JSValue engine_invoke(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int is_library)
{
	const char *texts[7] = {0};
	int64_t words[7] = {0}, result = 0;
	int failed = 0;

	for (int i = 0; i < argc && i < 7 && !failed; i++)
		failed = word(ctx, argv[i], &words[i], &texts[i]);
	if (!failed)
		result = is_library ? library(words) : kernel(words);
	for (int i = 0; i < 7; i++)
		JS_FreeCString(ctx, texts[i]);
	return failed ? JS_EXCEPTION : JS_NewInt64(ctx, result);
}

/* encode(text): its bytes, as an ArrayBuffer. */
static JSValue engine_encode(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv)
{
	size_t size;
	const char *text = encode(ctx, argv[0], &size);
	JSValue buffer = text ? JS_NewArrayBufferCopy(ctx, (const uint8_t *)text, size) : JS_EXCEPTION;

	JS_FreeCString(ctx, text);
	return buffer;
}

/* decode(array): the text of its bytes. address(array): where they are, as long as something keeps it. */
static JSValue engine_bytes(JSContext *ctx, JSValueConst this, int argc, JSValueConst *argv, int is_text)
{
	size_t size;
	uint8_t *bytes = bytes_of(ctx, argv[0], &size);

	if (!bytes)
		return JS_EXCEPTION;
	return is_text ? decode(ctx, bytes, size) : JS_NewInt64(ctx, (int64_t)bytes);
}

static const JSCFunctionListEntry members[] = {
	JS_CFUNC_MAGIC_DEF("syscall", 7, engine_invoke, 0),
	JS_CFUNC_MAGIC_DEF("call", 7, engine_invoke, 1),
	JS_CFUNC_MAGIC_DEF("address", 1, engine_bytes, 0),
	JS_CFUNC_MAGIC_DEF("decode", 1, engine_bytes, 1),
	JS_CFUNC_DEF("encode", 1, engine_encode),
	JS_PROP_STRING_DEF("arch", ARCHITECTURE, 0),
};

static JSValue texts(JSContext *ctx, char **strings)
{
	JSValue array = JS_NewArray(ctx);

	for (uint32_t i = 0; strings[i]; i++)
		JS_SetPropertyUint32(ctx, array, i, decode(ctx, strings[i], strlen(strings[i])));
	return array;
}

/* globalThis.engine, which packages/core/src/sys/engine.ts describes. */
static void add_engine(JSContext *ctx, char **argv, const struct timespec *started)
{
	JSValue engine = JS_NewObject(ctx), global = JS_GetGlobalObject(ctx);

	JS_SetPropertyFunctionList(ctx, engine, members, countof(members));
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
	while (JS_ExecutePendingJob(JS_GetRuntime(ctx), &next) > 0);
	return end;
}

static int fail(JSContext *ctx, JSValue error)
{
	const char *text = JS_IsNull(error) ? NULL : JS_ToCString(ctx, error);

	dprintf(2, "internal error: %s\n", text ? text : "out of memory");
	return 1;
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
	JSRuntime *runtime = JS_NewRuntime();
	JSContext *ctx = runtime ? JS_NewContextRaw(runtime) : NULL;

	if (!ctx)
		return 125;
	signal(SIGPIPE, SIG_IGN), signal(SIGXFSZ, SIG_IGN); /* the write says so instead */
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
	JSValue end = run(ctx);
	if (JS_IsException(end))
		return fail(ctx, JS_GetException(ctx));
	if (JS_PromiseState(ctx, end) == JS_PROMISE_REJECTED)
		return fail(ctx, JS_PromiseResult(ctx, end));
	/* There is nothing more to run: a program that has not done its work must not seem to have. */
	int waits = JS_PromiseState(ctx, end) == JS_PROMISE_PENDING;
	return waits ? fail(ctx, JS_NewString(ctx, "the program waits for what never comes")) : 0;
}
