/*
 * spawn-timer LOG: time whole processes for the benchmark.
 *
 * Reads one request a line from stdin, fields separated by tabs, and answers with one line on stdout:
 *   spawn ARGV...   run ARGV with /dev/null as stdin and LOG as stdout and stderr; "NANOSECONDS STATUS PEAK CPU"
 *   reap PID        wait at most ten seconds for PID, a child by now; "NANOSECONDS STATUS PEAK CPU"
 * STATUS is as a shell has it (128 + n for a signal), or -1 when the process could not be started or waited for.
 * PEAK is the resident memory in kB of the process at its largest, or of the largest process that it has waited for.
 * It is never less than this program's own, whose memory the process has until execve: hence linked statically.
 * CPU is the time on processors in microseconds, of the process and of all that it has waited for.
 *
 * A small C program because posix_spawn costs in proportion to the caller's address space, and because it must be
 * what a container engine's monitor is: a child subreaper, to which a container's init falls when create ends.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <poll.h>
#include <spawn.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/pidfd.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#define MAX_ARGS 64
#define REAP_TIMEOUT_MS 10000

extern char **environ;

static long long now(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return t.tv_sec * 1000000000ll + t.tv_nsec;
}

static long long cpu_time(const struct rusage *usage)
{
	const struct timeval *u = &usage->ru_utime, *s = &usage->ru_stime;

	return (u->tv_sec + s->tv_sec) * 1000000ll + u->tv_usec + s->tv_usec;
}

static int exit_status(int status)
{
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}

static int spawn(const posix_spawn_file_actions_t *stdio, char **argv, struct rusage *usage)
{
	int status;
	pid_t pid;

	if (!argv[0] || posix_spawnp(&pid, argv[0], stdio, NULL, argv, environ) != 0)
		return -1;
	return wait4(pid, &status, 0, usage) == pid ? exit_status(status) : -1;
}

static int reap(const char *pid_text, struct rusage *usage)
{
	pid_t pid = pid_text ? atoi(pid_text) : 0;
	int status, reaped, pidfd = pid > 0 ? pidfd_open(pid, 0) : -1;

	if (pidfd < 0)
		return -1;
	poll(&(struct pollfd){.fd = pidfd, .events = POLLIN}, 1, REAP_TIMEOUT_MS);
	close(pidfd);
	reaped = wait4(pid, &status, WNOHANG, usage) == pid;
	while (waitpid(-1, NULL, WNOHANG) > 0)
		;
	return reaped ? exit_status(status) : -1;
}

int main(int argc, char **argv)
{
	posix_spawn_file_actions_t stdio;
	char *line = NULL;
	size_t size = 0;

	if (argc != 2 || prctl(PR_SET_CHILD_SUBREAPER, 1) != 0) {
		fprintf(stderr, "usage: spawn-timer LOG\n");
		return 2;
	}
	posix_spawn_file_actions_init(&stdio);
	posix_spawn_file_actions_addopen(&stdio, 0, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&stdio, 1, argv[1], O_WRONLY | O_CREAT | O_APPEND, 0600);
	posix_spawn_file_actions_adddup2(&stdio, 1, 2);

	while (getline(&line, &size, stdin) > 0) {
		char *args[MAX_ARGS + 1] = {NULL}, *rest = line;
		struct rusage usage = {0};
		long long start, end;
		int count = 0, status;

		line[strcspn(line, "\n")] = '\0';
		for (char *field; count < MAX_ARGS && (field = strsep(&rest, "\t"));)
			args[count++] = field;
		start = now();
		status = strcmp(args[0], "reap") == 0 ? reap(args[1], &usage) : spawn(&stdio, args + 1, &usage);
		end = now();
		printf("%lld %d %ld %lld\n", end - start, status, usage.ru_maxrss, cpu_time(&usage));
		fflush(stdout);
	}
	free(line);
	return 0;
}
