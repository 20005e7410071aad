/*
 * crio-lxc-start NAME LXCPATH CONFIG: run liblxc's start in the foreground and end as the container did.
 * crio-lxc-start --version EXTENSION...: say the version of liblxc, and which of these extensions of its API it has.
 *
 * C because liblxc refuses a foreground start in a process with more than one thread. It decides nothing:
 * CONFIG names the init command, and liblxc's log file says why a start failed.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/un.h>
#include <unistd.h>

#define START_FAILED 125

/*
 * liblxc binds its command socket to an abstract name, which every process of the network namespace can read and connect
 * to: a container that shares the host's, too (CVE-2020-15257 was of that kind). Nobody uses the commands, so in this
 * program the socket becomes one end of a pair whose other end stays here and silent: these stand before libc's.
 */
int bind(int fd, const struct sockaddr *address, socklen_t length)
{
	int pair[2];

	if (address->sa_family != AF_UNIX || ((const struct sockaddr_un *)address)->sun_path[0])
		return syscall(SYS_bind, fd, address, length);
	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair))
		return -1;
	if (dup3(pair[0], fd, O_CLOEXEC) < 0)
		return -1;
	return close(pair[0]);
}

int listen(int fd, int backlog)
{
	struct sockaddr_un peer;

	if (getpeername(fd, (struct sockaddr *)&peer, &(socklen_t){sizeof(peer)}) == 0)
		return 0;
	return syscall(SYS_listen, fd, backlog);
}

/*
 * liblxc's child enters the container's namespaces with the host's tree and the plan, and makes itself traceable again there:
 * by whoever has CAP_SYS_PTRACE in a user namespace that the container joins (CVE-2016-9962). It stays as main has made it.
 */
int prctl(int option, ...)
{
	unsigned long args[4];
	va_list list;

	va_start(list, option);
	for (int i = 0; i < 4; i++)
		args[i] = va_arg(list, unsigned long);
	va_end(list);
	return syscall(SYS_prctl, option, option == PR_SET_DUMPABLE ? 0 : args[0], args[1], args[2], args[3]);
}

/* liblxc keeps death by a signal as sig << 8 | 0x7f, which none of wait(2)'s macros understands. */
static int mirror(int status)
{
	if ((status & 0x7f) != 0x7f)
		return status >> 8 & 0xff;
	setrlimit(RLIMIT_CORE, &(struct rlimit){0, 0}); /* the container's death is not this program's crash */
	signal(status >> 8, SIG_DFL);
	kill(getpid(), status >> 8);
	return 128 + (status >> 8);
}

static int version(char **names)
{
	printf("liblxc %s\n", lxc_get_version());
	for (; *names; names++)
		if (lxc_has_api_extension(*names))
			puts(*names);
	return 0;
}

int main(int argc, char **argv)
{
	struct lxc_container *c;

	if (prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return START_FAILED;
	if (argc > 1 && !strcmp(argv[1], "--version"))
		return version(argv + 2);
	if (argc != 4) {
		fputs("usage: crio-lxc-start NAME LXCPATH CONFIG\n       crio-lxc-start --version EXTENSION...\n", stderr);
		return START_FAILED;
	}
	c = lxc_container_new(argv[1], argv[2]);
	if (!c)
		return START_FAILED;
	c->clear_config(c); /* lxc's default.conf is for lxc's own containers */
	if (!c->load_config(c, argv[3]) || !c->want_daemonize(c, false))
		return START_FAILED;
	/* CONFIG sets monitor.signal.pdeath to 0, so init outlives this process when create ends it. */
	if (!c->start(c, 0, NULL) && c->error_num <= 0)
		return START_FAILED;
	return mirror(c->error_num);
}
