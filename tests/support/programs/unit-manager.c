/* SPDX-License-Identifier: Apache-2.0 */
/* A double of systemd's manager on the bus of DBUS_SYSTEM_BUS_ADDRESS, for the few calls the agent makes.
 *
 *     unit-manager            says "ready" once it has its name, serves until its standard input ends
 *
 * Units by name: good.service restarts in 50 ms; bad.service's job fails; tired.service's too, unless its failures
 * were reset before; slow.service's never ends; denied.service is refused
 * as polkit would; noreply.service is not answered; dead.service is inactive and
 * failed; absent.service does not exist. Signals are sent only to those who subscribed, as systemd does.
 *
 * With the variable UNIT_RESTART, a restart runs that program with the unit's name; its exit code decides how the job ends. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <systemd/sd-bus.h>
#include <unistd.h>

#define PATH "/org/freedesktop/systemd1"
#define MANAGER "org.freedesktop.systemd1.Manager"

static sd_bus *bus;
static int subscribed;
static unsigned next_job = 1;

struct job {
    unsigned id;
    char unit[64];
    const char *result;
    int in_ms; /* from now; -1 never */
};

static struct job pending = {.in_ms = -1};

static void job_path(unsigned id, char path[64])
{
    (void)snprintf(path, 64, PATH "/job/%u", id);
}

static int rested; /* ResetFailedUnit has come for tired.service */

static void emit_removed(const struct job *job)
{
    char path[64];

    job_path(job->id, path);
    if (subscribed)
        (void)sd_bus_emit_signal(bus, PATH, MANAGER, "JobRemoved", "uoss", job->id, path, job->unit, job->result);
}

/* Whether the program in UNIT_RESTART, if there is one, restarts the unit. */
static int restarts(const char *unit)
{
    const char *program = getenv("UNIT_RESTART");
    int status = 0;

    if (program == NULL)
        return 1;
    pid_t pid = fork();
    if (pid == 0) {
        (void)execl(program, program, unit, (char *)NULL);
        _exit(127);
    }
    return pid > 0 && waitpid(pid, &status, 0) == pid && status == 0;
}

static int restart(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    const char *unit, *mode;
    char path[64];
    int r = sd_bus_message_read(message, "ss", &unit, &mode);

    (void)userdata;
    if (r < 0)
        return r;
    if (strcmp(mode, "replace") != 0)
        return sd_bus_error_setf(error, "org.freedesktop.DBus.Error.InvalidArgs", "mode '%s'", mode);
    if (strcmp(unit, "absent.service") == 0)
        return sd_bus_error_setf(error, "org.freedesktop.systemd1.NoSuchUnit", "Unit %s not found.", unit);
    if (strcmp(unit, "denied.service") == 0)
        return sd_bus_error_setf(error, "org.freedesktop.DBus.Error.InteractiveAuthorizationRequired",
                                 "Interactive authentication required.");
    if (strcmp(unit, "noreply.service") == 0)
        return 1;
    struct job job = {.id = next_job++, .result = "done", .in_ms = 50};
    if (strcmp(unit, "bad.service") == 0 || (strcmp(unit, "tired.service") == 0 && !rested) || !restarts(unit))
        job.result = "failed";
    (void)snprintf(job.unit, sizeof(job.unit), "%.60s", unit);
    if (strcmp(unit, "slow.service") == 0)
        job.in_ms = -1;
    pending = job;
    job_path(job.id, path);
    return sd_bus_reply_method_return(message, "o", path);
}

static int subscribe(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    (void)userdata;
    (void)error;
    subscribed = 1;
    return sd_bus_reply_method_return(message, "");
}

static const char *unit_of(const char *path, char unit[256])
{
    char *decoded = NULL;

    unit[0] = '\0';
    if (sd_bus_path_decode(path, PATH "/unit", &decoded) > 0)
        (void)snprintf(unit, 256, "%s", decoded);
    free(decoded);
    return unit;
}

static int add(sd_bus_message *reply, const char *name, const char *value)
{
    return sd_bus_message_append(reply, "{sv}", name, "s", value);
}

/* Properties.GetAll of a unit, with what else systemd puts in between. */
static int get_all(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    sd_bus_message *reply = NULL;
    char unit[256];

    (void)userdata;
    (void)error;
    if (!sd_bus_message_is_method_call(message, "org.freedesktop.DBus.Properties", "GetAll"))
        return 0;
    (void)unit_of(sd_bus_message_get_path(message), unit);
    if (strcmp(unit, "noreply.service") == 0)
        return 1;
    int absent = strcmp(unit, "absent.service") == 0, dead = absent || strcmp(unit, "dead.service") == 0;
    if (sd_bus_message_new_method_return(message, &reply) < 0 || sd_bus_message_open_container(reply, 'a', "{sv}") < 0)
        return -ENOMEM;
    (void)add(reply, "Id", unit);
    (void)sd_bus_message_append(reply, "{sv}", "Names", "as", 1, unit);
    (void)add(reply, "LoadState", absent ? "not-found" : "loaded");
    (void)sd_bus_message_append(reply, "{sv}", "Job", "(uo)", 0u, "/");
    (void)add(reply, "ActiveState", absent ? "inactive" : dead ? "failed" : "active");
    (void)add(reply, "SubState", absent ? "dead" : dead ? "failed" : "running");
    (void)sd_bus_message_append(reply, "{sv}", "StateChangeTimestamp", "t", 1ull);
    (void)sd_bus_message_close_container(reply);
    int r = sd_bus_send(bus, reply, NULL);
    sd_bus_message_unref(reply);
    return r < 0 ? r : 1;
}

static int filter(sd_bus_message *message, void *userdata, sd_bus_error *error)
{
    if (sd_bus_message_is_method_call(message, MANAGER, "RestartUnit") ||
        sd_bus_message_is_method_call(message, MANAGER, "ReloadUnit")) {
        sd_bus_error failed = SD_BUS_ERROR_NULL;
        int r = restart(message, userdata, &failed);
        if (r < 0)
            (void)sd_bus_reply_method_error(message, &failed);
        sd_bus_error_free(&failed);
        return 1;
    }
    if (sd_bus_message_is_method_call(message, MANAGER, "ResetFailedUnit")) {
        const char *unit = "";
        rested = sd_bus_message_read(message, "s", &unit) > 0 && strcmp(unit, "tired.service") == 0;
        return sd_bus_reply_method_return(message, NULL);
    }
    if (sd_bus_message_is_method_call(message, MANAGER, "Subscribe"))
        return subscribe(message, userdata, error);
    return get_all(message, userdata, error);
}

static void serve(void)
{
    for (;;) {
        int r;
        while ((r = sd_bus_process(bus, NULL)) > 0)
            ;
        if (r < 0)
            return;
        struct pollfd fds[2] = {{.fd = sd_bus_get_fd(bus), .events = (short)sd_bus_get_events(bus)},
                                {.fd = STDIN_FILENO, .events = POLLIN}};
        r = poll(fds, 2, pending.in_ms);
        if (r == 0) {
            emit_removed(&pending);
            pending.in_ms = -1;
        }
        if (fds[1].revents != 0)
            return;
    }
}

int main(void)
{
    if (sd_bus_open_system(&bus) < 0 || sd_bus_add_filter(bus, NULL, filter, NULL) < 0 ||
        sd_bus_request_name(bus, "org.freedesktop.systemd1", 0) < 0) {
        fprintf(stderr, "unit-manager: no bus\n");
        return 1;
    }
    printf("ready\n");
    (void)fflush(stdout);
    serve();
    sd_bus_flush_close_unref(bus);
    return 0;
}
