/* SPDX-License-Identifier: Apache-2.0 */
/* systemd's manager over D-Bus, with libsystemd's sd-bus on the uv loop.
 *
 * The first call opens one connection, which closes after IDLE_NS without a call: an idle process holds no bus name
 * and wakes for no signals. sd-bus needs a watched descriptor, a timer, and sd_bus_process() until there is no work
 * left; that is pump(). If the connection breaks, the calls that wait on it end with -ENOTCONN, and the next call
 * opens a new one.
 *
 * restart: sends AddMatch(JobRemoved), Manager.Subscribe, ResetFailedUnit and RestartUnit at once (the bus keeps their
 * order), then waits for the JobRemoved of the job that RestartUnit named. Without ResetFailedUnit, systemd refuses
 * to start the old version after one that has just failed as often as StartLimitBurst= allows. state:
 * Properties.GetAll of the unit, which makes systemd load it if necessary. The interface is
 * org.freedesktop.systemd1(5). */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <systemd/sd-bus.h>

#include "loop/core.h"

#define DEFAULT_TIMEOUT_NS (90 * HF_NS_PER_S)
#define IDLE_NS (30 * HF_NS_PER_S)
#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"

enum { MAX_UNIT_NAME = 256, MAX_STATE = 32 };

struct hf_bus {
    struct hf_loop_guest guest;
    struct hf_loop *loop;
    struct hf_list calls;
    struct hf_loop_task pump;
    uv_timer_t timer; /* for sd-bus' time-outs, or the end of an idle connection */
    sd_bus *bus;      /* NULL if not connected */
    uv_poll_t *poll;  /* handle of this connection; frees itself */
    int watched;      /* events that the poll handle watches */
    bool matched;     /* the match for JobRemoved is set */
};

struct hf_unit_call {
    struct hf_list link;
    struct hf_bus *bus;
    struct hf_loop_task step; /* begins or reports */
    uv_timer_t timer;
    sd_bus_slot *reply;
    char unit[MAX_UNIT_NAME];
    const char *method; /* "RestartUnit", "EnableUnitFiles", ...; NULL for `state` */
    char *job;          /* object path from the reply to the method */
    bool files;         /* the method ends with its reply, without a job */
    bool begun;
    bool over;
    int result;
    struct hf_err err;
    char active[MAX_STATE];
    char sub[MAX_STATE];
    void (*restarted)(void *arg, int r, const struct hf_err *err); /* set one of the two */
    void (*state)(void *arg, int r, const char *active_state, const char *sub_state, const struct hf_err *err);
    void *arg;
};

/* ---- the end of a call ------------------------------------------------------------------------------------------- */

static void closed_call(uv_handle_t *handle)
{
    struct hf_unit_call *call = hf_container_of(handle, struct hf_unit_call, timer);

    free(call->job);
    free(call);
}

static void call_close(struct hf_unit_call *call)
{
    call->over = true;
    hf_list_remove(&call->link);
    hf_loop_task_drop(&call->step);
    call->reply = sd_bus_slot_unref(call->reply);
    uv_close((uv_handle_t *)&call->timer, closed_call);
}

/* Stores the result; the loop calls `done`. */
static void finish(struct hf_unit_call *call, int r)
{
    if (call->over)
        return;
    call->over = true;
    call->result = r;
    hf_loop_task_post(call->bus->loop, &call->step);
}

static void report(struct hf_unit_call *call)
{
    struct hf_unit_call copy = *call;

    hf_loop_task_post(call->bus->loop, &call->bus->pump); /* may start the idle timer */
    call_close(call);
    if (copy.restarted != NULL)
        copy.restarted(copy.arg, copy.result, &copy.err);
    else
        copy.state(copy.arg, copy.result, copy.active, copy.sub, &copy.err);
}

static void on_deadline(uv_timer_t *timer)
{
    struct hf_unit_call *call = hf_container_of(timer, struct hf_unit_call, timer);

    finish(call, hf_err_set(&call->err, ETIMEDOUT, "unit '%s': no answer from systemd in time", call->unit));
}

/* Maps D-Bus errors by name, and the others by sd-bus' errno. */
static int finish_error(struct hf_unit_call *call, const sd_bus_error *error, int r)
{
    static const struct {
        const char *name;
        int code;
    } known[] = {
        {"org.freedesktop.systemd1.NoSuchUnit", ENOENT},
        {"org.freedesktop.systemd1.LoadFailed", ENOENT},
        {"org.freedesktop.systemd1.UnitMasked", EIO},
        {"org.freedesktop.DBus.Error.AccessDenied", EACCES},
        {"org.freedesktop.DBus.Error.InteractiveAuthorizationRequired", EACCES},
        {"org.freedesktop.DBus.Error.AuthFailed", EACCES},
        {"org.freedesktop.DBus.Error.ServiceUnknown", ENOTCONN},
        {"org.freedesktop.DBus.Error.NameHasNoOwner", ENOTCONN},
        {"org.freedesktop.DBus.Error.Disconnected", ENOTCONN},
        {"org.freedesktop.DBus.Error.NoReply", ETIMEDOUT},
        {"org.freedesktop.DBus.Error.Timeout", ETIMEDOUT},
    };
    static const char spawn[] = "org.freedesktop.DBus.Error.Spawn.";
    int code = r < 0 ? -r : EIO;

    const char *name = error != NULL && error->name != NULL ? error->name : "";
    for (size_t i = 0; i < HF_LEN(known); i++)
        if (strcmp(name, known[i].name) == 0)
            code = known[i].code;
    /* Where systemd is installed but does not run, the bus tries in vain to start it. If the connection breaks,
     * sd-bus itself answers the pending calls with "no reply". */
    if (strncmp(name, spawn, strlen(spawn)) == 0 || (code == ETIMEDOUT && sd_bus_is_open(call->bus->bus) <= 0))
        code = ENOTCONN;
    const char *text = error != NULL && error->message != NULL ? error->message : strerror(code);
    finish(call, hf_err_set(&call->err, code, "unit '%s': %.160s", call->unit, text));
    return 0;
}

/* ---- the connection ---------------------------------------------------------------------------------------------- */

static void free_poll(uv_handle_t *handle)
{
    free(handle);
}

static void disconnect(struct hf_bus *bus)
{
    struct hf_list *it, *next;

    if (bus->poll != NULL) {
        (void)uv_poll_stop(bus->poll);
        uv_close((uv_handle_t *)bus->poll, free_poll);
    }
    bus->poll = NULL;
    bus->watched = 0;
    bus->matched = false;
    (void)uv_timer_stop(&bus->timer);
    hf_list_each(it, next, &bus->calls) {
        struct hf_unit_call *call = hf_container_of(it, struct hf_unit_call, link);
        call->reply = sd_bus_slot_unref(call->reply);
        if (call->begun)
            finish(call,
                   hf_err_set(&call->err, ENOTCONN, "unit '%s': the connection to the system bus broke", call->unit));
    }
    bus->bus = sd_bus_close_unref(bus->bus);
}

static void on_bus_event(uv_poll_t *poll, HF_UNUSED int status, HF_UNUSED int events)
{
    struct hf_bus *bus = poll->data;

    hf_loop_task_post(bus->loop, &bus->pump);
}

static void on_bus_timer(uv_timer_t *timer)
{
    struct hf_bus *bus = hf_container_of(timer, struct hf_bus, timer);

    if (hf_list_empty(&bus->calls))
        disconnect(bus);
    else
        hf_loop_task_post(bus->loop, &bus->pump);
}

static void arm_timer(struct hf_bus *bus)
{
    uint64_t due_us = 0;

    if (hf_list_empty(&bus->calls)) {
        (void)uv_timer_start(&bus->timer, on_bus_timer, IDLE_NS / HF_NS_PER_MS, 0);
        return;
    }
    if (sd_bus_get_timeout(bus->bus, &due_us) < 0 || due_us == UINT64_MAX) {
        (void)uv_timer_stop(&bus->timer);
        return;
    }
    uint64_t now_us = uv_hrtime() / 1000; /* CLOCK_MONOTONIC, as sd-bus uses */
    uint64_t delay_us = due_us > now_us ? due_us - now_us : 0;
    (void)uv_timer_start(&bus->timer, on_bus_timer, delay_us / 1000 + 1, 0);
}

static void watch(struct hf_bus *bus)
{
    int wants = sd_bus_get_events(bus->bus);
    int events = (wants & POLLIN ? UV_READABLE : 0) | (wants & POLLOUT ? UV_WRITABLE : 0);

    if (wants < 0) {
        disconnect(bus);
        return;
    }
    if (events != bus->watched && uv_poll_start(bus->poll, events, on_bus_event) == 0)
        bus->watched = events;
    arm_timer(bus);
}

static void pump(struct hf_loop_task *task)
{
    struct hf_bus *bus = hf_container_of(task, struct hf_bus, pump);
    int r;

    if (bus->bus == NULL)
        return;
    do {
        r = sd_bus_process(bus->bus, NULL);
    } while (r > 0);
    if (r < 0 || sd_bus_is_open(bus->bus) <= 0)
        disconnect(bus);
    else
        watch(bus);
}

static int open_bus(struct hf_bus *bus)
{
    int r = sd_bus_open_system(&bus->bus);

    if (r < 0)
        return r;
    bus->poll = calloc(1, sizeof(*bus->poll));
    r = bus->poll == NULL ? -ENOMEM : uv_poll_init(&bus->loop->uv, bus->poll, sd_bus_get_fd(bus->bus));
    if (r < 0) {
        free(hf_steal(bus->poll));
        bus->bus = sd_bus_close_unref(bus->bus);
        return r;
    }
    bus->poll->data = bus;
    return 0;
}

static int connect_bus(struct hf_unit_call *call)
{
    struct hf_bus *bus = call->bus;

    if (bus->bus != NULL && sd_bus_is_open(bus->bus) <= 0)
        disconnect(bus);
    int r = bus->bus != NULL ? 0 : open_bus(bus);
    if (r == 0)
        return 0;
    if (r == -ENOMEM)
        return hf_err_set(&call->err, ENOMEM, "unit '%s': out of memory", call->unit);
    return hf_err_set(&call->err, ENOTCONN, "unit '%s': no system bus: %s", call->unit, strerror(-r));
}

/* ---- restart ----------------------------------------------------------------------------------------------------- */

static void job_ended(struct hf_unit_call *call, const char *result)
{
    if (strcmp(result, "done") == 0)
        finish(call, 0);
    else
        finish(call, hf_err_set(&call->err, EIO, "unit '%s': the %s ended with '%.64s'", call->unit,
                                strcmp(call->method, "ReloadUnit") == 0  ? "reload"
                                : strcmp(call->method, "StartUnit") == 0 ? "start"
                                : strcmp(call->method, "StopUnit") == 0  ? "stop"
                                                                         : "restart",
                                result));
}

/* JobRemoved(u id, o job, s unit, s result) */
static int on_job_removed(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct hf_bus *bus = userdata;
    const char *job, *unit, *result;
    struct hf_list *it, *next;
    uint32_t id;

    if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0)
        return 0;
    hf_list_each(it, next, &bus->calls) {
        struct hf_unit_call *call = hf_container_of(it, struct hf_unit_call, link);
        if (call->job != NULL && strcmp(call->job, job) == 0)
            job_ended(call, result);
    }
    return 0;
}

static int on_restart_reply(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct hf_unit_call *call = userdata;
    const char *job;

    if (sd_bus_message_is_method_error(message, NULL))
        return finish_error(call, sd_bus_message_get_error(message), -sd_bus_message_get_errno(message));
    int r = sd_bus_message_read(message, "o", &job);
    if (r < 0)
        return finish_error(call, NULL, r);
    call->job = strdup(job);
    return call->job == NULL ? finish_error(call, NULL, -ENOMEM) : 0;
}

/* One match serves the whole connection. systemd sends signals only to subscribers, and forgets them when it
 * restarts, so subscribe before each restart; a second time is harmless. */
static int subscribe(struct hf_bus *bus)
{
    int r = 0;

    if (!bus->matched)
        r = sd_bus_match_signal_async(bus->bus, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
                                      on_job_removed, NULL, bus);
    if (r < 0)
        return r;
    bus->matched = true;
    return sd_bus_call_method_async(bus->bus, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL, NULL,
                                    NULL);
}

static int begin_restart(struct hf_unit_call *call)
{
    int r = subscribe(call->bus);

    if (r >= 0 && strcmp(call->method, "RestartUnit") == 0)
        r = sd_bus_call_method_async(call->bus->bus, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "ResetFailedUnit",
                                     NULL, NULL, "s", call->unit);
    if (r < 0)
        return r;
    return sd_bus_call_method_async(call->bus->bus, &call->reply, MANAGER, MANAGER_PATH, MANAGER_INTERFACE,
                                    call->method, on_restart_reply, call, "ss", call->unit, "replace");
}

/* ---- unit files -------------------------------------------------------------------------------------------------- */

static int on_files_reply(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct hf_unit_call *call = userdata;

    if (sd_bus_message_is_method_error(message, NULL))
        return finish_error(call, sd_bus_message_get_error(message), -sd_bus_message_get_errno(message));
    finish(call, 0);
    return 0;
}

static int begin_files(struct hf_unit_call *call)
{
    sd_bus *bus = call->bus->bus;

    if (strcmp(call->method, "Reload") == 0)
        return sd_bus_call_method_async(bus, &call->reply, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, call->method,
                                        on_files_reply, call, NULL);
    if (strcmp(call->method, "EnableUnitFiles") == 0) /* runtime, force: neither */
        return sd_bus_call_method_async(bus, &call->reply, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, call->method,
                                        on_files_reply, call, "asbb", 1, call->unit, 0, 0);
    return sd_bus_call_method_async(bus, &call->reply, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, call->method,
                                    on_files_reply, call, "asb", 1, call->unit, 0);
}

/* ---- state ------------------------------------------------------------------------------------------------------- */

struct unit_state {
    const char *load;
    const char *active;
    const char *sub;
};

static int read_property(sd_bus_message *message, struct unit_state *state)
{
    const char *name;
    const char **place = NULL;
    int r = sd_bus_message_read(message, "s", &name);

    if (r < 0)
        return r;
    if (strcmp(name, "LoadState") == 0)
        place = &state->load;
    else if (strcmp(name, "ActiveState") == 0)
        place = &state->active;
    else if (strcmp(name, "SubState") == 0)
        place = &state->sub;
    return place != NULL ? sd_bus_message_read(message, "v", "s", place) : sd_bus_message_skip(message, "v");
}

static int read_state(sd_bus_message *message, struct unit_state *state)
{
    int r = sd_bus_message_enter_container(message, 'a', "{sv}");

    while (r >= 0) {
        r = sd_bus_message_enter_container(message, 'e', "sv");
        if (r <= 0)
            break;
        r = read_property(message, state);
        if (r >= 0)
            r = sd_bus_message_exit_container(message);
    }
    return r < 0 ? r : 0;
}

static int on_state_reply(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct unit_state state = {.load = "", .active = "", .sub = ""};
    struct hf_unit_call *call = userdata;

    if (sd_bus_message_is_method_error(message, NULL))
        return finish_error(call, sd_bus_message_get_error(message), -sd_bus_message_get_errno(message));
    int r = read_state(message, &state);
    if (r < 0)
        return finish_error(call, NULL, r);
    (void)snprintf(call->active, sizeof(call->active), "%s", state.active);
    (void)snprintf(call->sub, sizeof(call->sub), "%s", state.sub);
    if (strcmp(state.load, "not-found") == 0 && strcmp(state.active, "inactive") == 0)
        finish(call, hf_err_set(&call->err, ENOENT, "unit '%s': no such unit", call->unit));
    else
        finish(call, 0);
    return 0;
}

static int begin_state(struct hf_unit_call *call)
{
    _cleanup_(hf_freep) char *path = NULL;
    int r = sd_bus_path_encode(MANAGER_PATH "/unit", call->unit, &path);

    if (r < 0)
        return r;
    return sd_bus_call_method_async(call->bus->bus, &call->reply, MANAGER, path, "org.freedesktop.DBus.Properties",
                                    "GetAll", on_state_reply, call, "s", "org.freedesktop.systemd1.Unit");
}

/* ---- calls ------------------------------------------------------------------------------------------------------- */

static void begin(struct hf_unit_call *call)
{
    call->begun = true;
    int r = connect_bus(call);
    if (r < 0) {
        finish(call, r);
        return;
    }
    r = call->restarted == NULL ? begin_state(call) : call->files ? begin_files(call) : begin_restart(call);
    if (r < 0)
        (void)finish_error(call, NULL, r == -ENOTCONN || r == -ECONNRESET ? -ENOTCONN : r);
    hf_loop_task_post(call->bus->loop, &call->bus->pump);
}

static void step(struct hf_loop_task *task)
{
    struct hf_unit_call *call = hf_container_of(task, struct hf_unit_call, step);

    if (!call->begun && !call->over)
        begin(call);
    else
        report(call);
}

static void end_bus(struct hf_loop_guest *guest);

static struct hf_bus *bus_get(struct hf_loop *loop)
{
    if (loop->bus != NULL)
        return loop->bus;
    struct hf_bus *bus = calloc(1, sizeof(*bus));
    if (bus == NULL)
        return NULL;
    bus->loop = loop;
    hf_list_init(&bus->calls);
    hf_loop_task_init(&bus->pump, pump);
    (void)uv_timer_init(&loop->uv, &bus->timer);
    hf_loop_guest_add(loop, &bus->guest, end_bus);
    loop->bus = bus;
    return bus;
}

static int call_new(struct hf_loop *loop, const char *unit, uint64_t timeout_ns, struct hf_unit_call **ret_call,
                    struct hf_err *err)
{
    if (loop->closing)
        return hf_err_set(err, ECANCELED, "the process is stopping");
    if (unit[0] == '\0' || strlen(unit) >= MAX_UNIT_NAME)
        return hf_err_set(err, EINVAL, "'%.64s' is not a unit name", unit);
    struct hf_bus *bus = bus_get(loop);
    struct hf_unit_call *call = bus != NULL ? calloc(1, sizeof(*call)) : NULL;
    if (call == NULL)
        return hf_err_set(err, ENOMEM, "not enough memory to query unit '%s'", unit);
    call->bus = bus;
    (void)snprintf(call->unit, sizeof(call->unit), "%s", unit);
    (void)uv_timer_init(&loop->uv, &call->timer);
    (void)uv_timer_start(&call->timer, on_deadline,
                         hf_loop_delay_ms(loop, timeout_ns > 0 ? timeout_ns : DEFAULT_TIMEOUT_NS), 0);
    hf_loop_task_init(&call->step, step);
    hf_list_append(&bus->calls, &call->link);
    hf_loop_task_post(loop, &call->step);
    *ret_call = call;
    return 0;
}

static int start_job(struct hf_loop *loop, const char *method, const char *unit, uint64_t timeout_ns,
                     void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                     struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct hf_unit_call *call;
    int r = call_new(loop, unit, timeout_ns, &call, err);

    if (r < 0)
        return r;
    call->method = method;
    call->restarted = done;
    call->arg = arg;
    *ret_call = call;
    return 0;
}

static int unit_restart(void *ctx, const char *unit, uint64_t timeout_ns,
                        void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                        struct hf_unit_call **ret_call, struct hf_err *err)
{
    return start_job(ctx, "RestartUnit", unit, timeout_ns, done, arg, ret_call, err);
}

static int unit_reload(void *ctx, const char *unit, uint64_t timeout_ns,
                       void (*done)(void *arg, int r, const struct hf_err *err), void *arg,
                       struct hf_unit_call **ret_call, struct hf_err *err)
{
    return start_job(ctx, "ReloadUnit", unit, timeout_ns, done, arg, ret_call, err);
}

static int unit_act(void *ctx, enum hf_unit_act act, const char *unit, uint64_t timeout_ns,
                    void (*done)(void *arg, int r, const struct hf_err *err), void *arg, struct hf_unit_call **ret_call,
                    struct hf_err *err)
{
    static const char *const methods[] = {[HF_UNIT_START] = "StartUnit",
                                          [HF_UNIT_STOP] = "StopUnit",
                                          [HF_UNIT_ENABLE] = "EnableUnitFiles",
                                          [HF_UNIT_DISABLE] = "DisableUnitFiles",
                                          [HF_UNIT_RELOAD_ALL] = "Reload"};
    int r = start_job(ctx, methods[act], unit, timeout_ns, done, arg, ret_call, err);

    if (r == 0)
        (*ret_call)->files = act != HF_UNIT_START && act != HF_UNIT_STOP;
    return r;
}

static int unit_state(void *ctx, const char *unit, uint64_t timeout_ns,
                      void (*done)(void *arg, int r, const char *active_state, const char *sub_state,
                                   const struct hf_err *err),
                      void *arg, struct hf_unit_call **ret_call, struct hf_err *err)
{
    struct hf_unit_call *call;
    int r = call_new(ctx, unit, timeout_ns, &call, err);

    if (r < 0)
        return r;
    call->state = done;
    call->arg = arg;
    *ret_call = call;
    return 0;
}

static void unit_cancel(HF_UNUSED void *ctx, struct hf_unit_call *call)
{
    if (call != NULL)
        call_close(call);
}

static void closed_bus(uv_handle_t *handle)
{
    free(hf_container_of(handle, struct hf_bus, timer));
}

static void end_bus(struct hf_loop_guest *guest)
{
    struct hf_bus *bus = hf_container_of(guest, struct hf_bus, guest);

    while (!hf_list_empty(&bus->calls))
        call_close(hf_container_of(bus->calls.next, struct hf_unit_call, link));
    disconnect(bus);
    hf_loop_task_drop(&bus->pump);
    bus->loop->bus = NULL;
    uv_close((uv_handle_t *)&bus->timer, closed_bus);
}

void hf_unit_init(struct hf_loop *loop)
{
    loop->unit = (struct hf_unit_ops){.ctx = loop,
                                      .restart = unit_restart,
                                      .reload = unit_reload,
                                      .act = unit_act,
                                      .state = unit_state,
                                      .cancel = unit_cancel};
}
