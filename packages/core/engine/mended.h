/*
 * Included before each file of QuickJS: what its later versions have mended and hostile input can reach.
 *
 * clz64(0) is undefined, and the length of the text of a BigInt from 2^63 to 2^64 - 1, as an unlimited rlimit is, is computed
 * with it: where the processor leaves its last result there (bsr), the text is written behind the end of its memory.
 */
static inline int leading_zeros(unsigned long long bits)
{
	return bits ? __builtin_clzll(bits) : 64;
}
#define __builtin_clzll leading_zeros
