/* SPDX-License-Identifier: Apache-2.0 */
/* One life of an agent after the other: decide which build, start it, watch it until it ends.
 *
 * What the links say is read at the start, and `current` again after each life, because the agent swaps it. All else is
 * this process's to write, so its memory is right where the disk is full or read-only: it starts the same build, and
 * tries the writes again before the next start and while an agent says that it is healthy. Order of writes when a build
 * is given up: verdict, then `current`; when one is healthy: previous, then good.
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
#include <stdarg.h>
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
#include "supervisor/folder.h"

enum { MS = 1000, ABORT_MS = 5 * MS, STOP_MS = 8 * MS, RETRY_MS = 60 * MS, LATE_WAKE_MS = 2 * MS, AGENT_LOCKED = 3 };

/* What is in the folder, as it should be and as it is on the disk. */
enum { CURRENT, GOOD, PREVIOUS, VERDICT, TRIAL, ENTRIES };
static const char *const names[ENTRIES] = {HF_HOST_CURRENT, HF_HOST_GOOD, HF_HOST_PREVIOUS, HF_HOST_VERDICT,
                                           HF_HOST_TRIAL};

struct note_file {
    char text[HF_HOST_NOTE], on_disk[HF_HOST_NOTE];
};

struct life {
    char slot[HF_HOST_SLOT];
    pid_t pid; /* 0: none runs */
    int pipe, exec_errno;
    int64_t begin_ms, heard_ms, kill_ms; /* kill_ms: INT64_MAX: not asked to end */
    bool heard, ready, restarts;
    enum hf_supervisor_event why; /* it was asked to end; BEGIN: it was not */
    char line[16];
    size_t n;
};

struct supervisor {
    const struct hf_supervisor_options *options;
    int folder, signals;
    struct note_file entries[ENTRIES];
    struct hf_supervisor_note given_up;
    unsigned ends;                               /* of the slot that ran last */
    int64_t now_ms, trial_ms, retry_ms, beat_ms; /* trial_ms: when that slot's first life began */
    int64_t beat_every_ms;                       /* of systemd's watchdog; 0: none */
    struct life life;
    bool stops, hangup;
};

__attribute__((format(printf, 1, 2))) static void say(const char *format, ...)
{
    char text[1024];
    va_list args;

    va_start(args, format);
    int n = vsnprintf(text, sizeof(text) - 1, format, args);
    va_end(args);
    (void)dprintf(STDERR_FILENO, "holdfast-supervisor: %.*s\n", n, text);
}

static void notify(const char *state)
{
    const char *path = getenv("NOTIFY_SOCKET");
    struct sockaddr_un address = {.sun_family = AF_UNIX};

    if (path == NULL || (path[0] != '/' && path[0] != '@') || strlen(path) >= sizeof(address.sun_path))
        return;
    memcpy(address.sun_path, path, strlen(path));
    if (path[0] == '@')
        address.sun_path[0] = '\0';
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    if (fd < 0)
        return;
    (void)sendto(fd, state, strlen(state), MSG_NOSIGNAL, (const struct sockaddr *)&address,
                 (socklen_t)(offsetof(struct sockaddr_un, sun_path) + strlen(path)));
    (void)close(fd);
}

/* ---- the folder -------------------------------------------------------------------------------------------------- */

static bool save(struct supervisor *s, int i)
{
    struct note_file *entry = &s->entries[i];

    if (strcmp(entry->text, entry->on_disk) == 0)
        return true;
    int r = hf_supervisor_folder_write(s->folder, names[i], i <= PREVIOUS, entry->text);
    if (r == 0)
        memcpy(entry->on_disk, entry->text, sizeof(entry->text));
    else
        say("cannot write %s/%s: %s; goes on from memory", s->options->dir, names[i], strerror(-r));
    return r == 0;
}

/* False: nothing new. */
static bool load(struct supervisor *s, int i)
{
    struct note_file *entry = &s->entries[i];
    char text[HF_HOST_NOTE];

    hf_supervisor_folder_read(s->folder, names[i], i <= PREVIOUS, text);
    if (strcmp(text, entry->on_disk) == 0 || (i <= PREVIOUS && !hf_supervisor_slot_is_valid(text)))
        return false;
    memcpy(entry->text, text, sizeof(text));
    memcpy(entry->on_disk, text, sizeof(text));
    return true;
}

static void write_note(struct supervisor *s, int i, const char *word, const char *slot)
{
    struct hf_supervisor_note note = {.word = ""};

    (void)snprintf(note.word, sizeof(note.word), "%s", word);
    (void)snprintf(note.slot, sizeof(note.slot), "%s", slot);
    if (hf_supervisor_note_format(names[i], &note, s->entries[i].text) == 0)
        s->entries[i].text[0] = '\0';
    if (i == VERDICT)
        s->given_up = note;
    (void)save(s, i);
}

static bool is_on_trial(const struct supervisor *s)
{
    return strcmp(s->life.slot, s->entries[GOOD].text) != 0;
}

/* The build that runs has judged itself healthy; it says so again and again. */
static void healthy(struct supervisor *s)
{
    struct note_file *entries = s->entries;

    if (is_on_trial(s)) {
        say("%s is healthy", s->life.slot);
        if (entries[GOOD].text[0] != '\0' && strcmp(entries[GOOD].text, s->given_up.slot) != 0)
            memcpy(entries[PREVIOUS].text, entries[GOOD].text, HF_HOST_NOTE);
        memcpy(entries[GOOD].text, s->life.slot, HF_HOST_SLOT);
        entries[TRIAL].text[0] = '\0';
        s->ends = 0;
        s->retry_ms = 0;
    }
    if (s->now_ms >= s->retry_ms && !(save(s, PREVIOUS) && save(s, GOOD) && save(s, TRIAL) && save(s, VERDICT)))
        s->retry_ms = s->now_ms + RETRY_MS;
}

/* ---- one life of an agent ---------------------------------------------------------------------------------------- */

static struct hf_supervisor_facts facts(const struct supervisor *s, enum hf_supervisor_event event)
{
    return (struct hf_supervisor_facts){.current = s->entries[CURRENT].text,
                                        .good = s->entries[GOOD].text,
                                        .previous = s->entries[PREVIOUS].text,
                                        .given_up = s->given_up.slot,
                                        .ran = s->life.slot,
                                        .event = event,
                                        .ends = s->ends};
}

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
    (void)dprintf(pipe_end, "exec %d\n", errno);
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

static void take_line(struct supervisor *s, const char *line)
{
    struct life *life = &s->life;

    life->heard = true;
    life->heard_ms = s->now_ms;
    if (strcmp(line, HF_HOST_SAYS_HEALTHY) == 0 && life->kill_ms == INT64_MAX)
        healthy(s);
    else if (strcmp(line, HF_HOST_SAYS_RESTART) == 0)
        life->restarts = true;
    else if (strncmp(line, "exec ", 5) == 0)
        life->exec_errno = (int)strtol(line + 5, NULL, 10);
    else if (strcmp(line, HF_HOST_SAYS_READY) == 0) {
        life->ready = true;
        notify("READY=1");
    }
}

static void listen_to(struct supervisor *s)
{
    struct life *life = &s->life;
    char text[512];
    ssize_t n = read(life->pipe, text, sizeof(text));

    if (n == 0) { /* no writer is left */
        (void)close(life->pipe);
        life->pipe = -1;
    }
    for (ssize_t i = 0; i < n; i++) {
        if (life->n < sizeof(life->line) - 1)
            life->line[life->n++] = text[i];
        if (text[i] != '\n')
            continue;
        life->line[life->n] = '\0';
        life->n = 0;
        take_line(s, life->line);
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

    if (read(s->signals, &info, sizeof(info)) != sizeof(info) || info.ssi_signo == SIGCHLD)
        return;
    if (info.ssi_signo == SIGHUP) {
        s->hangup = true;
        return;
    }
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

static int64_t hung_at_ms(const struct supervisor *s)
{
    return s->life.heard_ms + (int64_t)s->options->hang_s * MS * (s->life.heard ? 1 : 3);
}

static int64_t late_at_ms(const struct supervisor *s)
{
    struct hf_supervisor_facts f = facts(s, HF_SUPERVISOR_LATE);

    if (!is_on_trial(s) || hf_supervisor_other(&f, s->life.slot) == NULL)
        return INT64_MAX;
    return s->trial_ms + (int64_t)s->options->deadline_s * MS;
}

static void judge(struct supervisor *s)
{
    struct life *life = &s->life;

    if (s->hangup && life->ready) {
        s->hangup = false;
        (void)kill(life->pid, SIGHUP);
    }
    if (life->kill_ms != INT64_MAX) {
        if (s->now_ms >= life->kill_ms)
            end_it(s, SIGKILL, RETRY_MS);
        return;
    }
    if (s->now_ms >= hung_at_ms(s)) {
        life->why = HF_SUPERVISOR_HUNG;
        end_it(s, SIGABRT, ABORT_MS);
    } else if (s->now_ms >= late_at_ms(s)) {
        life->why = HF_SUPERVISOR_LATE;
        end_it(s, SIGTERM, STOP_MS);
    }
    if (life->why != HF_SUPERVISOR_BEGIN)
        say("%s: %s, it is ended", life->slot, hf_supervisor_event_name(life->why));
}

/* Returns the status as of waitpid(). */
static int watch(struct supervisor *s)
{
    int status = 0;

    while (waitpid(s->life.pid, &status, WNOHANG) != s->life.pid) {
        int64_t until_ms = s->life.kill_ms;
        if (until_ms == INT64_MAX)
            until_ms = hung_at_ms(s) < late_at_ms(s) ? hung_at_ms(s) : late_at_ms(s);
        wait_until(s, until_ms);
        judge(s);
    }
    listen_to(s); /* its last words */
    s->life.pid = 0;
    return status;
}

static bool is_of_the_machine(int error)
{
    return error == EAGAIN || error == ENOMEM || error == EMFILE || error == ENFILE || error == ETXTBSY;
}

static enum hf_supervisor_event live(struct supervisor *s, int *ret_status)
{
    struct life *life = &s->life;
    int r = start(s);

    if (r == 0)
        *ret_status = watch(s);
    (void)close(life->pipe);
    life->pipe = -1;
    r = r < 0 ? -r : life->exec_errno;
    if (r != 0) {
        say("cannot execute %s: %s", life->slot, strerror(r));
        return is_of_the_machine(r) ? HF_SUPERVISOR_NOT_STARTED : HF_SUPERVISOR_NOT_EXECUTABLE;
    }
    bool exited = WIFEXITED(*ret_status);
    say("%s has ended after %lld s: %s %d", life->slot, (long long)(s->now_ms - life->begin_ms) / MS,
        exited ? "exit code" : "signal", exited ? WEXITSTATUS(*ret_status) : WTERMSIG(*ret_status));
    if (life->why != HF_SUPERVISOR_BEGIN)
        return life->why;
    if (life->restarts)
        return HF_SUPERVISOR_RESTART;
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
        s->ends = 0;
        return;
    }
    s->ends++;
    (void)snprintf(number, sizeof(number), "%u", s->ends);
    if (is_on_trial(s) && s->ends <= HF_HOST_TRIAL_ENDS)
        write_note(s, TRIAL, number, s->life.slot);
}

/* Does what was decided about `life`; then `life` is the next one. */
static void turn_to(struct supervisor *s, const struct hf_supervisor_decision *d)
{
    struct note_file *entries = s->entries;
    char slot[HF_HOST_SLOT];

    (void)snprintf(slot, sizeof(slot), "%s", d->start);
    if (d->give_up != NULL) {
        say("gives up %s: %s; goes back to %s", s->life.slot, d->give_up, slot);
        write_note(s, VERDICT, d->give_up, s->life.slot);
    }
    if (d->forget)
        write_note(s, VERDICT, "", "");
    if (strcmp(slot, s->life.slot) != 0) {
        s->ends = 0;
        s->trial_ms = s->now_ms;
        if (s->life.slot[0] != '\0')
            entries[TRIAL].text[0] = '\0';
    }
    memcpy(entries[CURRENT].text, slot, sizeof(slot));
    if (save(s, VERDICT) && save(s, CURRENT))
        (void)save(s, TRIAL);
    s->life = (struct life){.pipe = -1, .begin_ms = s->now_ms, .heard_ms = s->now_ms, .kill_ms = INT64_MAX};
    memcpy(s->life.slot, slot, sizeof(slot));
}

static void begin(struct supervisor *s)
{
    struct hf_supervisor_note trial = {.word = ""};
    const char *usec = getenv("WATCHDOG_USEC");
    sigset_t signals;

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGCHLD);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigaddset(&signals, SIGHUP);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    s->signals = signalfd(-1, &signals, SFD_CLOEXEC | SFD_NONBLOCK);
    s->folder = open(s->options->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    s->beat_every_ms = usec != NULL ? strtoll(usec, NULL, 10) / (2 * MS) : 0;
    for (int i = 0; i < ENTRIES; i++)
        (void)load(s, i);
    if (!hf_supervisor_note_parse(names[VERDICT], s->entries[VERDICT].text, strlen(s->entries[VERDICT].text),
                                  &s->given_up) &&
        s->entries[VERDICT].text[0] != '\0')
        say("%s/" HF_HOST_VERDICT " is damaged, and counts for nothing", s->options->dir);
    (void)hf_supervisor_note_parse(names[TRIAL], s->entries[TRIAL].text, strlen(s->entries[TRIAL].text), &trial);
    struct hf_supervisor_facts f = facts(s, HF_SUPERVISOR_BEGIN);
    struct hf_supervisor_decision d = hf_supervisor_decide(&f);
    if (d.start == NULL)
        return;
    turn_to(s, &d);
    s->ends = strcmp(trial.slot, s->life.slot) == 0 ? (unsigned)strtoul(trial.word, NULL, 10) : 0;
}

int hf_supervisor_run(const struct hf_supervisor_options *options)
{
    static struct supervisor s = {.life = {.pipe = -1, .kill_ms = INT64_MAX}};
    int status = 0;

    s.options = options;
    begin(&s);
    if (s.life.slot[0] == '\0') {
        say("%s names no build of the agent", options->dir);
        return 1; /* the unit tries again */
    }
    while (!s.stops) {
        enum hf_supervisor_event event = live(&s, &status);
        if (s.stops)
            return WIFEXITED(status) ? WEXITSTATUS(status) : WTERMSIG(status) == SIGKILL;
        if (load(&s, CURRENT))
            say("the agent has swapped: %s", s.entries[CURRENT].text);
        count(&s, event);
        struct hf_supervisor_facts f = facts(&s, event);
        struct hf_supervisor_decision d = hf_supervisor_decide(&f);
        turn_to(&s, &d);
        int64_t until_ms = s.now_ms + (int64_t)d.wait_s * MS;
        while (!s.stops && s.now_ms < until_ms)
            wait_until(&s, until_ms);
        s.life.begin_ms = s.life.heard_ms = s.now_ms;
    }
    return 0;
}
