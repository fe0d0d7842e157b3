/* SPDX-License-Identifier: Apache-2.0 */
/* One life of an agent after the other: decide which build, start it, watch it until it ends.
 *
 * What the links say is read at the start, and `current` again after each life, because the agent swaps it. All else is
 * this process's to write, so its memory is right where the disk is full or read-only: it starts the same build, and
 * tries the writes again before the next start and while an agent says that it is healthy. Order of writes when a build
 * is given up: verdict, then `current`; when one is healthy: previous, then good. Each is one link, made beside its
 * place, renamed, and synced with the folder: after a power cut there is the old one or the new one, whole.
 *
 * The agent dies with this process (PR_SET_PDEATHSIG), so that the next supervisor does not meet its lock. What the
 * agent started lives on: it may be what a release's restart command made.
 *
 * Time is that in which this process ran: if it wakes much later than it asked for, the machine slept or was frozen,
 * the agent too, and that time counts for nothing. */
#include "supervisor/supervise.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include "supervisor/decision.h"

enum { MS = 1000, ABORT_MS = 5 * MS, STOP_MS = 8 * MS, RETRY_MS = 60 * MS, LATE_WAKE_MS = 2 * MS, AGENT_LOCKED = 3 };

/* What is in the folder, as it should be and as it is on the disk. */
enum { CURRENT, GOOD, PREVIOUS, VERDICT, TRIAL, LINKS };
static const char *const names[LINKS] = {HF_HOST_CURRENT, HF_HOST_GOOD, HF_HOST_PREVIOUS, HF_HOST_VERDICT,
                                         HF_HOST_TRIAL};

struct host_link {
    char text[HF_HOST_NOTE], on_disk[HF_HOST_NOTE];
};

struct life {
    char slot[HF_HOST_SLOT];
    pid_t pid; /* 0: none runs */
    int pipe, exec_errno;
    int64_t begin_ms, heard_ms, kill_ms; /* kill_ms: INT64_MAX: not asked to end */
    bool heard, ready;
    enum hf_supervisor_event why; /* it was asked to end, or said RESTART; BEGIN: neither */
};

struct supervisor {
    const struct hf_supervisor_options *options;
    int folder, signals;
    struct host_link links[LINKS];
    struct hf_supervisor_facts facts;            /* its names are those of `links` and of `life` */
    int64_t now_ms, trial_ms, retry_ms, beat_ms; /* trial_ms: when that slot's first life began */
    int64_t beat_every_ms;                       /* of systemd's watchdog; 0: none */
    struct life life;
    bool stops, hangup;
};

#define EXEC_FAILED "exec " /* and errno: what the child says in the agent's place */

#define says(line, what) (strncmp(line, what, strlen(what)) == 0)

/* One write a line, by the buffer that run() gives the stream. */
#define say(format, ...) (void)fprintf(stderr, "holdfast-supervisor: " format "\n", __VA_ARGS__)

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    size_t n = path != NULL ? strlen(path) : 0;

    if (n == 0 || n >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, n);
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + n));
    (void)close(fd);
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

/* "": removes it. */
static bool save(struct supervisor *s, int i)
{
    struct host_link *link = &s->links[i];
    char made[32];

    if (strcmp(link->text, link->on_disk) == 0)
        return true;
    (void)snprintf(made, sizeof(made), ".%s.new", names[i]);
    (void)unlinkat(s->folder, made, 0);
    int r = link->text[0] == '\0' ? unlinkat(s->folder, names[i], 0) : symlinkat(link->text, s->folder, made);
    if (r == 0 && link->text[0] != '\0')
        r = renameat(s->folder, made, s->folder, names[i]);
    if ((r == 0 || (link->text[0] == '\0' && errno == ENOENT)) && fsync(s->folder) == 0) {
        memcpy(link->on_disk, link->text, sizeof(link->text));
        return true;
    }
    say("cannot write %s/%s: %s; goes on from memory", s->options->dir, names[i], strerror(errno));
    return false;
}

/* False: nothing new. */
static bool load(struct supervisor *s, int i)
{
    struct host_link *link = &s->links[i];
    char text[HF_HOST_NOTE];
    ssize_t n = readlinkat(s->folder, names[i], text, sizeof(text));

    text[n < 0 || n >= HF_HOST_NOTE ? 0 : n] = '\0';
    if (strcmp(text, link->on_disk) == 0 || (i <= PREVIOUS && !hf_supervisor_slot_is_valid(text)))
        return false;
    memcpy(link->text, text, sizeof(text));
    memcpy(link->on_disk, text, sizeof(text));
    return true;
}

/* `word` and `slot` "": there is none. */
static void write_note(struct supervisor *s, int i, const char *word, const char *slot)
{
    char *text = s->links[i].text;
    int n = snprintf(text, HF_HOST_NOTE, "%s%s", word, word[0] != '\0' ? " " : "");

    (void)snprintf(text + n, HF_HOST_NOTE - (size_t)n, "%s", slot);
    if (i == VERDICT)
        s->facts.given_up = text + n;
    (void)save(s, i);
}

static bool is_on_trial(const struct supervisor *s)
{
    return strcmp(s->life.slot, s->links[GOOD].text) != 0;
}

/* The build that runs has judged itself healthy; it says so again and again. */
static void healthy(struct supervisor *s)
{
    struct host_link *links = s->links;

    if (is_on_trial(s)) {
        say("%s is healthy", s->life.slot);
        if (links[GOOD].text[0] != '\0' && strcmp(links[GOOD].text, s->facts.given_up) != 0)
            memcpy(links[PREVIOUS].text, links[GOOD].text, HF_HOST_NOTE);
        memcpy(links[GOOD].text, s->life.slot, HF_HOST_SLOT);
        links[TRIAL].text[0] = '\0';
        s->facts.ends = 0;
        s->retry_ms = 0;
    }
    if (s->now_ms >= s->retry_ms && !(save(s, PREVIOUS) && save(s, GOOD) && save(s, TRIAL) && save(s, VERDICT)))
        s->retry_ms = s->now_ms + RETRY_MS;
}

/* ---- one life of an agent ---------------------------------------------------------------------------------------- */

_Noreturn static void become_agent(const struct supervisor *s, const char *program, int pipe_end, pid_t parent)
{
    sigset_t none;

    (void)sigemptyset(&none);
    (void)sigprocmask(SIG_SETMASK, &none, NULL);
    (void)prctl(PR_SET_PDEATHSIG, SIGKILL);
    if (getppid() != parent)
        _exit(1);
    (void)fcntl(pipe_end, F_SETFD, 0);
    (void)unsetenv("NOTIFY_SOCKET");
    (void)unsetenv("WATCHDOG_USEC");
    (void)unsetenv("WATCHDOG_PID");
    (void)execv(program, s->options->argv);
    (void)dprintf(pipe_end, EXEC_FAILED "%d\n", errno);
    _exit(1);
}

static int start(struct supervisor *s)
{
    static char program[PATH_MAX];
    char number[16];
    pid_t parent = getpid();
    int ends[2];

    if (snprintf(program, sizeof(program), "%s/%s/" HF_HOST_AGENT, s->options->dir, s->life.slot) >= PATH_MAX)
        return -ENAMETOOLONG;
    if (pipe2(ends, O_CLOEXEC | O_NONBLOCK) < 0)
        return -errno;
    (void)snprintf(number, sizeof(number), "%d", ends[1]);
    (void)setenv(HF_HOST_FD_VARIABLE, number, 1);
    (void)setenv(HF_HOST_SLOT_VARIABLE, s->life.slot, 1);
    s->options->argv[0] = program;
    s->life.pid = fork();
    if (s->life.pid == 0)
        become_agent(s, program, ends[1], parent);
    int r = s->life.pid < 0 ? -errno : 0;
    (void)close(ends[1]);
    s->life.pipe = ends[0];
    return r;
}

/* Reads all that the pipe can hold, so no line is cut but those of a flood, which mean nothing. */
static void listen_to(struct supervisor *s)
{
    static char text[64 * 1024 + 1];
    struct life *life = &s->life;
    ssize_t n = read(life->pipe, text, sizeof(text) - 1);

    if (n == 0) { /* no writer is left */
        (void)close(life->pipe);
        life->pipe = -1;
    }
    if (n <= 0)
        return;
    text[n] = '\0';
    life->heard = true;
    life->heard_ms = s->now_ms;
    for (const char *line = text, *end; (end = strchr(line, '\n')) != NULL; line = end + 1) {
        if (says(line, HF_HOST_SAYS_HEALTHY) && life->kill_ms == INT64_MAX)
            healthy(s);
        else if (says(line, HF_HOST_SAYS_RESTART) && life->why == HF_SUPERVISOR_BEGIN)
            life->why = HF_SUPERVISOR_RESTART;
        else if (says(line, EXEC_FAILED))
            life->exec_errno = (int)strtol(line + strlen(EXEC_FAILED), NULL, 10);
        else if (says(line, HF_HOST_SAYS_READY)) {
            life->ready = true;
            notify("READY=1");
        }
    }
}

static void end_it(struct supervisor *s, int signal_number, int wait_ms)
{
    if (s->life.pid > 0)
        (void)kill(s->life.pid, signal_number);
    s->life.kill_ms = s->now_ms + wait_ms;
}

static void take_signal(struct supervisor *s)
{
    struct signalfd_siginfo info;

    if (read(s->signals, &info, sizeof(info)) != sizeof(info))
        return;
    s->hangup |= info.ssi_signo == SIGHUP;
    if (info.ssi_signo == SIGHUP || info.ssi_signo == SIGCHLD)
        return;
    if (!s->stops)
        notify("STOPPING=1");
    s->stops = true;
    end_it(s, (int)info.ssi_signo, STOP_MS);
}

/* Until something happens, or the time has come. */
static void wait_until(struct supervisor *s, int64_t until_ms)
{
    struct pollfd fds[] = {{.fd = s->signals, .events = POLLIN}, {.fd = s->life.pipe, .events = POLLIN}};
    struct timespec from, to;
    int64_t wait_ms = until_ms - s->now_ms;

    if (s->beat_every_ms > 0 && s->now_ms >= s->beat_ms) {
        notify("WATCHDOG=1");
        s->beat_ms = s->now_ms + s->beat_every_ms;
    }
    if (s->beat_every_ms > 0 && wait_ms > s->beat_ms - s->now_ms)
        wait_ms = s->beat_ms - s->now_ms;
    wait_ms = wait_ms < 0 ? 0 : wait_ms < RETRY_MS ? wait_ms : RETRY_MS;
    (void)clock_gettime(CLOCK_MONOTONIC, &from);
    int n = poll(fds, 2, (int)wait_ms);
    (void)clock_gettime(CLOCK_MONOTONIC, &to);
    int64_t slept_ms = (int64_t)(to.tv_sec - from.tv_sec) * MS + (to.tv_nsec - from.tv_nsec) / 1000000;
    if (slept_ms <= wait_ms + LATE_WAKE_MS)
        s->now_ms += slept_ms;
    if (n > 0 && fds[1].revents != 0)
        listen_to(s);
    if (n > 0 && fds[0].revents != 0)
        take_signal(s);
}

/* Ends the agent if that is due. Returns when to ask again. */
static int64_t judge(struct supervisor *s)
{
    struct life *life = &s->life;
    bool may_be_late = is_on_trial(s) && hf_supervisor_other(&s->facts, life->slot) != NULL;
    int64_t hung_ms = life->heard_ms + (int64_t)s->options->hang_s * MS * (life->heard ? 1 : 3);
    int64_t late_ms = may_be_late ? s->trial_ms + (int64_t)s->options->deadline_s * MS : INT64_MAX;
    bool hung = s->now_ms >= hung_ms;

    if (s->hangup && life->ready) {
        s->hangup = false;
        (void)kill(life->pid, SIGHUP);
    }
    if (life->kill_ms != INT64_MAX) {
        if (s->now_ms >= life->kill_ms)
            end_it(s, SIGKILL, RETRY_MS);
    } else if (hung || s->now_ms >= late_ms) {
        life->why = hung ? HF_SUPERVISOR_HUNG : HF_SUPERVISOR_LATE;
        say("%s is %s: it is ended", life->slot, hung ? "silent" : "not healthy in time");
        end_it(s, hung ? SIGABRT : SIGTERM, hung ? ABORT_MS : STOP_MS);
    }
    return life->kill_ms != INT64_MAX ? life->kill_ms : hung_ms < late_ms ? hung_ms : late_ms;
}

static enum hf_supervisor_event live(struct supervisor *s, int *ret_status)
{
    struct life *life = &s->life;
    int r = start(s);

    if (r == 0) {
        while (waitpid(life->pid, ret_status, WNOHANG) != life->pid)
            wait_until(s, judge(s));
        listen_to(s); /* its last words */
        life->pid = 0;
    }
    (void)close(life->pipe);
    life->pipe = -1;
    r = r < 0 ? -r : life->exec_errno;
    if (r != 0) {
        say("cannot execute %s: %s", life->slot, strerror(r));
        bool of_the_machine = r == EAGAIN || r == ENOMEM || r == EMFILE || r == ENFILE || r == ETXTBSY;
        return of_the_machine ? HF_SUPERVISOR_NOT_STARTED : HF_SUPERVISOR_NOT_EXECUTABLE;
    }
    bool exited = WIFEXITED(*ret_status);
    say("%s has ended after %lld s: %s %d", life->slot, (long long)(s->now_ms - life->begin_ms) / MS,
        exited ? "exit code" : "signal", exited ? WEXITSTATUS(*ret_status) : WTERMSIG(*ret_status));
    if (life->why != HF_SUPERVISOR_BEGIN)
        return life->why;
    return exited && WEXITSTATUS(*ret_status) == AGENT_LOCKED ? HF_SUPERVISOR_LOCKED : HF_SUPERVISOR_ENDED;
}

/* ---- one after the other ----------------------------------------------------------------------------------------- */

/* Counts the end, if it counts. */
static void count(struct supervisor *s, enum hf_supervisor_event event)
{
    char number[16];

    if (event == HF_SUPERVISOR_LOCKED || event == HF_SUPERVISOR_NOT_STARTED || event == HF_SUPERVISOR_RESTART)
        return;
    if (!is_on_trial(s) && s->life.heard_ms - s->life.begin_ms >= HF_HOST_GOOD_LIFE_S * MS) {
        s->facts.ends = 0;
        return;
    }
    s->facts.ends++;
    (void)snprintf(number, sizeof(number), "%u", s->facts.ends);
    if (is_on_trial(s) && s->facts.ends <= HF_HOST_TRIAL_ENDS)
        write_note(s, TRIAL, number, s->life.slot);
}

/* Does what was decided about `life`; then `life` is the next one. */
static void turn_to(struct supervisor *s, const struct hf_supervisor_decision *d)
{
    char slot[HF_HOST_SLOT];

    (void)snprintf(slot, sizeof(slot), "%s", d->start);
    if (d->give_up != NULL) {
        say("gives up %s: %s; goes back to %s", s->life.slot, d->give_up, slot);
        write_note(s, VERDICT, d->give_up, s->life.slot);
    }
    if (d->forget)
        write_note(s, VERDICT, "", "");
    if (strcmp(slot, s->life.slot) != 0) {
        s->facts.ends = 0;
        s->trial_ms = s->now_ms;
        if (s->life.slot[0] != '\0')
            s->links[TRIAL].text[0] = '\0';
    }
    memcpy(s->links[CURRENT].text, slot, sizeof(slot));
    if (save(s, VERDICT) && save(s, CURRENT))
        (void)save(s, TRIAL);
    s->life = (struct life){.pipe = -1, .begin_ms = s->now_ms, .heard_ms = s->now_ms, .kill_ms = INT64_MAX};
    memcpy(s->life.slot, slot, sizeof(slot));
}

/* False: the folder names no build. */
static bool begin(struct supervisor *s)
{
    static const int caught[] = {SIGCHLD, SIGTERM, SIGINT, SIGHUP};
    const char *usec = getenv("WATCHDOG_USEC");
    struct hf_supervisor_note note = {.word = ""};
    sigset_t signals;

    (void)sigemptyset(&signals);
    for (size_t i = 0; i < sizeof(caught) / sizeof(caught[0]); i++)
        (void)sigaddset(&signals, caught[i]);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    s->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    s->folder = open(s->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->beat_every_ms = usec != NULL ? strtoll(usec, NULL, 10) / (2 * MS) : 0;
    s->facts = (struct hf_supervisor_facts){.current = s->links[CURRENT].text,
                                            .good = s->links[GOOD].text,
                                            .previous = s->links[PREVIOUS].text,
                                            .ran = s->life.slot};
    for (int i = 0; i < LINKS; i++) {
        note = (struct hf_supervisor_note){.word = ""};
        if (load(s, i) && i > PREVIOUS && !hf_supervisor_note_parse(s->links[i].text, &note))
            say("%s/%s is damaged, and counts for nothing", s->options->dir, names[i]);
        if (i > PREVIOUS)
            write_note(s, i, note.word, note.slot);
    }
    struct hf_supervisor_decision d = hf_supervisor_decide(&s->facts);
    if (d.start == NULL)
        return false;
    turn_to(s, &d);
    /* `trial` was the last note. */
    s->facts.ends = strcmp(note.slot, s->life.slot) == 0 ? (unsigned)strtoul(note.word, NULL, 10) : 0;
    return true;
}

int hf_supervisor_run(const struct hf_supervisor_options *options)
{
    static struct supervisor s = {.life = {.pipe = -1, .kill_ms = INT64_MAX}};
    static char line[1024];
    int status = 0;

    (void)setvbuf(stderr, line, _IOLBF, sizeof(line));
    s.options = options;
    if (!begin(&s)) {
        say("%s names no build of the agent", options->dir);
        return 1; /* the unit tries again */
    }
    while (!s.stops) {
        enum hf_supervisor_event event = live(&s, &status);
        if (s.stops)
            return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL;
        if (load(&s, CURRENT))
            say("the agent has swapped: %s", s.links[CURRENT].text);
        count(&s, event);
        s.facts.event = event;
        struct hf_supervisor_decision d = hf_supervisor_decide(&s.facts);
        turn_to(&s, &d);
        int64_t until_ms = s.now_ms + (int64_t)d.wait_s * MS;
        while (!s.stops && s.now_ms < until_ms)
            wait_until(&s, until_ms);
        s.life.begin_ms = s.life.heard_ms = s.now_ms;
    }
    return 0;
}
