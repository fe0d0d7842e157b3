/* SPDX-License-Identifier: Apache-2.0 */
/* The filter between an agent in a pod and the host's systemd: it passes on the restart and reload of units that are
 * allowed, and questions about the state of units, and refuses everything else. With `own_unit` also the few calls
 * that install the agent's own unit, each for exactly that name.
 *
 * The agent connects to a socket of the filter's owner; only a process with the same uid is served. The connection
 * to the host's system bus is opened when a call needs it, and closed with the last client. RestartUnit and
 * ReloadUnit are passed on, and the end of their job (JobRemoved) goes back to the client that started it.
 *
 * One process with one event loop; a client that has gone is only marked, and swept after the event, because a
 * callback of its connection may be on the stack. Clients, and the calls of each, are bounded. */
#include "units/filter.h"

#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <systemd/sd-bus.h>
#include <systemd/sd-event.h>
#include <unistd.h>

#include "base/list.h"
#include "units/rule.h"

#define MANAGER "org.freedesktop.systemd1"
#define MANAGER_PATH "/org/freedesktop/systemd1"
#define MANAGER_INTERFACE "org.freedesktop.systemd1.Manager"
#define DENIED "org.freedesktop.DBus.Error.AccessDenied"

enum { MAX_CLIENTS = 4, MAX_CALLS = 16, REFUSALS_LOGGED = 20, BACKLOG = 64 };

struct filter {
    const struct hf_units_filter_params *params;
    sd_event *event;
    sd_bus *manager; /* connection to the host's system bus; NULL until a call needs it */
    struct hf_list clients;
    unsigned n_clients, n_refusals;
};

struct client {
    struct hf_list link;
    struct filter *filter;
    sd_bus *bus;
    struct hf_list calls;
    unsigned n_calls;
    bool gone; /* the connection ended; sweep() frees the client */
};

/* A call that systemd has not answered yet, or a restart whose job has not ended yet. */
struct pending_call {
    struct hf_list link;
    struct client *client;
    sd_bus_message *request; /* NULL once it is answered */
    sd_bus_slot *slot;
    char *job; /* object path of the restart's job; NULL until systemd names it */
};

/* ---- ends -------------------------------------------------------------------------------------------------------- */

static void call_free(struct pending_call *call)
{
    hf_list_remove(&call->link);
    call->client->n_calls--;
    sd_bus_slot_unref(call->slot);
    sd_bus_message_unref(call->request);
    free(call->job);
    free(call);
}

static void client_free(struct client *client)
{
    struct hf_list *it, *next;

    hf_list_each(it, next, &client->calls)
        call_free(hf_container_of(it, struct pending_call, link));
    hf_list_remove(&client->link);
    client->filter->n_clients--;
    sd_bus_close_unref(client->bus);
    free(client);
}

static void drop_manager(struct filter *filter)
{
    filter->manager = sd_bus_close_unref(filter->manager);
}

/* Frees clients whose connection ended, and closes the host's bus when no client is left. Runs after each event. */
static int sweep(HF_UNUSED sd_event_source *source, void *userdata)
{
    struct filter *filter = userdata;
    struct hf_list *it, *next;

    hf_list_each(it, next, &filter->clients) {
        struct client *client = hf_container_of(it, struct client, link);
        if (client->gone || sd_bus_is_open(client->bus) <= 0)
            client_free(client);
    }
    if (filter->manager != NULL && (hf_list_empty(&filter->clients) || sd_bus_is_open(filter->manager) <= 0))
        drop_manager(filter);
    return 0;
}

/* ---- systemd's side ---------------------------------------------------------------------------------------------- */

/* JobRemoved(u id, o job, s unit, s result): passes the signal on to the client that started the job. */
static int on_job_removed(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct filter *filter = userdata;
    const char *job, *unit, *result;
    struct hf_list *c, *next_client, *it, *next;
    uint32_t id;

    if (sd_bus_message_read(message, "uoss", &id, &job, &unit, &result) < 0)
        return 0;
    hf_list_each(c, next_client, &filter->clients) {
        struct client *client = hf_container_of(c, struct client, link);
        hf_list_each(it, next, &client->calls) {
            struct pending_call *call = hf_container_of(it, struct pending_call, link);
            sd_bus_message *signal = NULL;
            if (call->job == NULL || strcmp(call->job, job) != 0)
                continue;
            if (sd_bus_message_new_signal(client->bus, &signal, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved") < 0 ||
                sd_bus_message_set_sender(signal, MANAGER) < 0 ||
                sd_bus_message_append(signal, "uoss", id, job, unit, result) < 0 ||
                sd_bus_send(client->bus, signal, NULL) < 0)
                client->gone = true;
            sd_bus_message_unref(signal);
            call_free(call);
        }
    }
    return 0;
}

static bool starts_job(const char *member)
{
    static const char *const members[] = {"RestartUnit", "ReloadUnit", "StartUnit", "StopUnit"};

    for (size_t i = 0; i < HF_LEN(members); i++)
        if (strcmp(member, members[i]) == 0)
            return true;
    return false;
}

static int on_answer(sd_bus_message *answer, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct pending_call *call = userdata;
    const char *job = NULL;
    sd_bus_message *reply = NULL;
    int r;

    if (sd_bus_message_is_method_error(answer, NULL)) {
        r = sd_bus_reply_method_error(call->request, sd_bus_message_get_error(answer));
    } else if (starts_job(sd_bus_message_get_member(call->request))) {
        r = sd_bus_message_read(answer, "o", &job);
        call->job = r < 0 ? NULL : strdup(job);
        r = call->job == NULL ? -ENOMEM : sd_bus_reply_method_return(call->request, "o", job);
    } else {
        r = sd_bus_message_new_method_return(call->request, &reply);
        if (r >= 0)
            r = sd_bus_message_copy(reply, answer, 1);
        if (r >= 0)
            r = sd_bus_send(call->client->bus, reply, NULL);
        sd_bus_message_unref(reply);
    }
    call->request = sd_bus_message_unref(call->request);
    if (r < 0)
        call->client->gone = true;
    if (call->job == NULL)
        call_free(call);
    return 0;
}

static int open_manager(struct filter *filter)
{
    int r;

    if (filter->manager != NULL && sd_bus_is_open(filter->manager) > 0)
        return 0;
    drop_manager(filter);
    r = sd_bus_open_system(&filter->manager);
    if (r >= 0)
        r = sd_bus_attach_event(filter->manager, filter->event, SD_EVENT_PRIORITY_NORMAL);
    if (r >= 0)
        r = sd_bus_match_signal_async(filter->manager, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "JobRemoved",
                                      on_job_removed, NULL, filter);
    if (r < 0)
        drop_manager(filter);
    return r;
}

/* ---- the agent's side -------------------------------------------------------------------------------------------- */

static int refuse(struct client *client, sd_bus_message *message, const char *text)
{
    struct filter *filter = client->filter;
    const char *member = sd_bus_message_get_member(message);

    if (filter->n_refusals++ < REFUSALS_LOGGED)
        hf_log(filter->params->log, HF_LOG_WARNING, "units.refused", HF_S("call", member != NULL ? member : ""),
               HF_S("reason", text));
    return sd_bus_reply_method_errorf(message, DENIED, "%s", text);
}

static struct pending_call *call_new(struct client *client, sd_bus_message *request)
{
    struct pending_call *call = client->n_calls < MAX_CALLS ? calloc(1, sizeof(*call)) : NULL;

    if (call == NULL)
        return NULL;
    call->client = client;
    call->request = sd_bus_message_ref(request);
    hf_list_append(&client->calls, &call->link);
    client->n_calls++;
    return call;
}

static int no_bus(sd_bus_message *message, int r)
{
    return sd_bus_reply_method_errorf(message, "org.freedesktop.DBus.Error.NameHasNoOwner", "no system bus: %s",
                                      strerror(-r));
}

/* Opens the host's bus and makes the call that is passed on. NULL: the client has its answer; *ret is for on_message().
 */
static struct pending_call *open_call(struct client *client, sd_bus_message *message, int *ret)
{
    int r = open_manager(client->filter);
    struct pending_call *call = r < 0 ? NULL : call_new(client, message);

    if (call == NULL)
        *ret = r < 0 ? no_bus(message, r) : refuse(client, message, "too many calls wait for an answer");
    return call;
}

/* `r`: of the call that was passed on. */
static int opened(struct pending_call *call, sd_bus_message *message, int r)
{
    if (r >= 0)
        return 1;
    call_free(call);
    return no_bus(message, r);
}

static int pass_job(struct client *client, sd_bus_message *message, const char *unit)
{
    struct filter *filter = client->filter;
    const char *member = sd_bus_message_get_member(message);
    int r;
    struct pending_call *call = open_call(client, message, &r);

    if (call == NULL)
        return r;
    r = sd_bus_call_method_async(filter->manager, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "Subscribe", NULL,
                                 NULL, NULL);
    if (r >= 0 && strcmp(member, "RestartUnit") == 0)
        r = sd_bus_call_method_async(filter->manager, NULL, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "ResetFailedUnit",
                                     NULL, NULL, "s", unit);
    if (r >= 0)
        r = sd_bus_call_method_async(filter->manager, &call->slot, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, member,
                                     on_answer, call, "ss", unit, "replace");
    return opened(call, message, r);
}

/* True: the call is about the agent's own unit, which it may manage here. */
static bool is_own_unit(const struct client *client, const char *unit)
{
    return client->filter->params->own_unit && strcmp(unit, HF_UNITS_OWN) == 0;
}

static int pass_restart(struct client *client, sd_bus_message *message)
{
    struct filter *filter = client->filter;
    struct hf_err err = HF_ERR_INIT;
    const char *unit, *mode;
    char text[600];

    if (sd_bus_message_read(message, "ss", &unit, &mode) < 0 || strcmp(mode, "replace") != 0)
        return refuse(client, message, "RestartUnit and ReloadUnit take a unit and the mode 'replace'");
    if (is_own_unit(client, unit))
        return pass_job(client, message, unit);
    if (!hf_units_restart_allowed(unit, filter->params->patterns)) {
        (void)snprintf(text, sizeof(text), "the agent may not restart '%.255s'", unit);
        return refuse(client, message, text);
    }
    if (filter->params->allows != NULL && !filter->params->allows(filter->params->arg, unit, &err))
        return refuse(client, message, hf_err_text(&err, text, sizeof(text)));
    return pass_job(client, message, unit);
}

static int pass_own_job(struct client *client, sd_bus_message *message)
{
    const char *unit, *mode;

    if (sd_bus_message_read(message, "ss", &unit, &mode) < 0 || strcmp(mode, "replace") != 0 ||
        !is_own_unit(client, unit))
        return refuse(client, message, "StartUnit and StopUnit are allowed for the agent's own unit at most");
    return pass_job(client, message, unit);
}

/* True: the message names exactly one unit file, the agent's own, not a path, and not only until the next boot. */
static bool names_own_file(const struct client *client, sd_bus_message *message, bool enables)
{
    const char *file = NULL, *more = NULL;
    int runtime = 1, force = 1;

    if (sd_bus_message_enter_container(message, 'a', "s") < 0 || sd_bus_message_read(message, "s", &file) <= 0 ||
        sd_bus_message_read(message, "s", &more) != 0 || sd_bus_message_exit_container(message) < 0 ||
        sd_bus_message_read(message, "b", &runtime) < 0)
        return false;
    if (enables && sd_bus_message_read(message, "b", &force) < 0)
        return false;
    return runtime == 0 && (!enables || force == 0) && is_own_unit(client, file);
}

static int pass_own_files(struct client *client, sd_bus_message *message)
{
    struct filter *filter = client->filter;
    const char *member = sd_bus_message_get_member(message);
    bool enables = strcmp(member, "EnableUnitFiles") == 0;

    if (!names_own_file(client, message, enables))
        return refuse(client, message, "unit files are enabled and disabled for the agent's own unit at most");
    int r;
    struct pending_call *call = open_call(client, message, &r);
    if (call == NULL)
        return r;
    if (enables)
        r = sd_bus_call_method_async(filter->manager, &call->slot, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, member,
                                     on_answer, call, "asbb", 1, HF_UNITS_OWN, 0, 0);
    else
        r = sd_bus_call_method_async(filter->manager, &call->slot, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, member,
                                     on_answer, call, "asb", 1, HF_UNITS_OWN, 0);
    return opened(call, message, r);
}

static int pass_reload(struct client *client, sd_bus_message *message)
{
    struct filter *filter = client->filter;

    if (!filter->params->own_unit)
        return refuse(client, message, "this call is not allowed");
    int r;
    struct pending_call *call = open_call(client, message, &r);
    if (call == NULL)
        return r;
    r = sd_bus_call_method_async(filter->manager, &call->slot, MANAGER, MANAGER_PATH, MANAGER_INTERFACE, "Reload",
                                 on_answer, call, NULL);
    return opened(call, message, r);
}

static int pass_state(struct client *client, sd_bus_message *message)
{
    struct filter *filter = client->filter;
    const char *interface;

    if (sd_bus_message_read(message, "s", &interface) < 0 || strcmp(interface, "org.freedesktop.systemd1.Unit") != 0)
        return refuse(client, message, "GetAll is allowed for the interface org.freedesktop.systemd1.Unit only");
    int r;
    struct pending_call *call = open_call(client, message, &r);
    if (call == NULL)
        return r;
    r = sd_bus_call_method_async(filter->manager, &call->slot, MANAGER, sd_bus_message_get_path(message),
                                 "org.freedesktop.DBus.Properties", "GetAll", on_answer, call, "s", interface);
    return opened(call, message, r);
}

static int on_message(sd_bus_message *message, void *userdata, HF_UNUSED sd_bus_error *error)
{
    struct client *client = userdata;

    if (sd_bus_message_is_signal(message, "org.freedesktop.DBus.Local", "Disconnected")) {
        client->gone = true;
        return 1;
    }
    if (!sd_bus_message_is_method_call(message, NULL, NULL))
        return 1;
    switch (hf_units_call_of(sd_bus_message_get_path(message), sd_bus_message_get_interface(message),
                             sd_bus_message_get_member(message))) {
    case HF_UNITS_HELLO:
        return sd_bus_reply_method_return(message, "s", ":1.1");
    case HF_UNITS_MATCH:
    case HF_UNITS_SUBSCRIBE:
        return sd_bus_reply_method_return(message, NULL);
    case HF_UNITS_RESTART:
        return pass_restart(client, message);
    case HF_UNITS_STATE:
        return pass_state(client, message);
    case HF_UNITS_OWN_JOB:
        return pass_own_job(client, message);
    case HF_UNITS_OWN_FILES:
        return pass_own_files(client, message);
    case HF_UNITS_RELOAD:
        return pass_reload(client, message);
    case HF_UNITS_REFUSE:
        break;
    }
    return refuse(client, message, "this call is not allowed");
}

/* True if the process at the other end has the uid of this process. */
static bool is_own(int fd)
{
    struct ucred peer;
    socklen_t n = sizeof(peer);

    return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &n) == 0 && peer.uid == geteuid();
}

static int client_open(struct client *client, int fd)
{
    sd_id128_t id;
    int r = sd_id128_randomize(&id);

    if (r >= 0)
        r = sd_bus_new(&client->bus);
    if (r >= 0)
        r = sd_bus_set_fd(client->bus, fd, fd); /* the bus owns fd from here on */
    if (r < 0) {
        (void)close(fd);
        return r;
    }
    /* sd-bus trusts only peers whose pid it sees, and the agent is in another pid namespace; is_own() has judged it. */
    r = sd_bus_set_anonymous(client->bus, 1);
    if (r >= 0)
        r = sd_bus_set_server(client->bus, 1, id);
    if (r >= 0)
        r = sd_bus_negotiate_fds(client->bus, 0);
    if (r >= 0)
        r = sd_bus_add_filter(client->bus, NULL, on_message, client);
    if (r >= 0)
        r = sd_bus_start(client->bus);
    return r < 0 ? r : sd_bus_attach_event(client->bus, client->filter->event, SD_EVENT_PRIORITY_NORMAL);
}

static int on_connection(HF_UNUSED sd_event_source *source, int listener, HF_UNUSED uint32_t events, void *userdata)
{
    struct sockaddr_un address;
    socklen_t n = sizeof(address);
    struct filter *filter = userdata;
    int fd = accept4(listener, (struct sockaddr *)&address, &n, SOCK_CLOEXEC | SOCK_NONBLOCK);

    if (fd < 0)
        return 0;
    struct client *client = is_own(fd) && filter->n_clients < MAX_CLIENTS ? calloc(1, sizeof(*client)) : NULL;
    if (client == NULL) {
        (void)close(fd);
        return 0;
    }
    client->filter = filter;
    hf_list_init(&client->calls);
    hf_list_append(&filter->clients, &client->link);
    filter->n_clients++;
    client->gone = client_open(client, fd) < 0;
    return 0;
}

/* ---- listening --------------------------------------------------------------------------------------------------- */

/* Makes the socket, for its owner only. -EADDRINUSE: another filter answers there. */
static int listen_at(const char *path, struct hf_err *err)
{
    struct sockaddr_un address = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return hf_err_sys(err, -errno, "socket");
    if (snprintf(address.sun_path, sizeof(address.sun_path), "%s", path) >= (int)sizeof(address.sun_path)) {
        (void)close(fd);
        return hf_err_set(err, ENAMETOOLONG, "'%.120s' is too long for a unix socket", path);
    }
    if (connect(fd, (struct sockaddr *)&address, sizeof(address)) == 0) {
        (void)close(fd);
        return hf_err_set(err, EADDRINUSE, "'%s': another process listens there", path);
    }
    struct stat found;
    if (lstat(path, &found) == 0 && S_ISSOCK(found.st_mode) && found.st_uid == geteuid())
        (void)unlink(path);
    mode_t mask = umask(0177);
    int r = bind(fd, (struct sockaddr *)&address, sizeof(address)) == 0 && listen(fd, BACKLOG) == 0 ? 0 : -errno;
    (void)umask(mask);
    if (r < 0) {
        (void)close(fd);
        return hf_err_sys(err, r, "listen on '%s'", path);
    }
    return fd;
}

static int filter_start(struct filter *filter, int listener)
{
    sigset_t signals;
    int r = sd_event_new(&filter->event);

    (void)sigemptyset(&signals);
    (void)sigaddset(&signals, SIGTERM);
    (void)sigaddset(&signals, SIGINT);
    (void)sigprocmask(SIG_BLOCK, &signals, NULL);
    (void)signal(SIGPIPE, SIG_IGN);
    if (r >= 0)
        r = sd_event_add_signal(filter->event, NULL, SIGTERM, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_signal(filter->event, NULL, SIGINT, NULL, NULL);
    if (r >= 0)
        r = sd_event_add_io(filter->event, NULL, listener, POLLIN, on_connection, filter);
    if (r >= 0)
        r = sd_event_add_post(filter->event, NULL, sweep, filter);
    return r;
}

int hf_units_filter_run(const struct hf_units_filter_params *params, struct hf_err *err)
{
    struct filter filter = {.params = params};
    struct hf_list *it, *next;
    int listener = listen_at(params->socket, err);

    if (listener < 0)
        return listener;
    hf_list_init(&filter.clients);
    int r = filter_start(&filter, listener);
    if (r >= 0) {
        hf_log(params->log, HF_LOG_INFO, "units.listening", HF_S("socket", params->socket));
        r = sd_event_loop(filter.event);
    }
    hf_list_each(it, next, &filter.clients)
        client_free(hf_container_of(it, struct client, link));
    drop_manager(&filter);
    sd_event_unref(filter.event);
    (void)close(listener);
    (void)unlink(params->socket);
    return r < 0 ? hf_err_sys(err, r, "event loop") : 0;
}
