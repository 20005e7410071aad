/*
 * crio-lxc-start NAME LXCPATH CONFIG: run liblxc's start in the foreground and end as the container did.
 *
 * C because liblxc refuses a foreground start in a process with more than one thread. It decides nothing:
 * CONFIG names the init command, and liblxc's log file says why a start failed.
 */
#include <lxc/lxccontainer.h>
#include <signal.h>
#include <stdio.h>
#include <sys/resource.h>
#include <unistd.h>

#define START_FAILED 125

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

int main(int argc, char **argv)
{
	struct lxc_container *c;

	if (argc != 4) {
		fprintf(stderr, "usage: crio-lxc-start NAME LXCPATH CONFIG\n");
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
