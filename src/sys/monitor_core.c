/* monitor_core.c: commands: running and stopping the machine, HMP through QMP, logs and traces, descriptors. */
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#include "sys/monitor_cmd.h"

static int need_machine(struct mon_call *c, struct err *e)
{
    return c->m ? 0 : err_set(e, ENODEV, "there is no machine");
}

static int cmd_stop(struct mon_call *c, struct err *e)
{
    int rc = need_machine(c, e);
    if (!rc && c->m->state == RUN_RUNNING) machine_pause(c->m, RUN_PAUSED);
    return rc;
}

static int cmd_cont(struct mon_call *c, struct err *e)
{
    int rc = need_machine(c, e);
    if (rc) return rc;
    if (c->m->state == RUN_SHUTDOWN || c->m->state == RUN_PANICKED) return err_set(e, EINVAL, "Resetting the Virtual Machine is required");
    machine_start(c->m);
    return 0;
}

static int cmd_quit(struct mon_call *c, struct err *e)
{
    monitor_shutdown_reason(c->set, "host-qmp-quit");
    if (!c->m) {
        loop_stop(mon_config(c->set)->loop, 0);
        return 0;
    }
    c->m->cfg.no_shutdown = false; /* that is for guests */
    machine_request(c->m, BOARD_SHUTDOWN, 0);
    return 0;
}

static int cmd_reset(struct mon_call *c, struct err *e)
{
    int rc = need_machine(c, e);
    if (rc) return rc;
    monitor_shutdown_reason(c->set, "host-qmp-system-reset");
    machine_request(c->m, BOARD_RESET, 0);
    return 0;
}

static int cmd_powerdown(struct mon_call *c, struct err *e)
{
    int rc = need_machine(c, e);
    if (!rc) machine_request(c->m, BOARD_POWERDOWN, 0);
    return rc;
}

static int cmd_wakeup(struct mon_call *c, struct err *e)
{
    return err_set(e, ENOTSUP, "wake-up from suspend is not supported by this guest");
}

/* What the guest's watchdog does from now on. */
static int cmd_watchdog(struct mon_call *c, struct err *e)
{
    const char *word = mon_str(c, "action");
    unsigned i = 0;
    int rc = need_machine(c, e);
    while (watchdog_actions[i] && strcmp(watchdog_actions[i], word)) i++;
    if (!rc && !watchdog_actions[i]) rc = err_set(e, EINVAL, "Parameter 'action' does not accept value '%s'", word);
    if (!rc) c->m->cfg.watchdog = (enum watchdog_action)i;
    return rc;
}

static int cmd_nmi(struct mon_call *c, struct err *e)
{
    return err_set(e, ENOTSUP, "machine does not provide NMIs");
}

static int cmd_hmp(struct mon_call *c, struct err *e)
{
    struct mon_text t = { 0 }, crlf = { 0 };
    int64_t index = mon_int(c, "cpu-index", 0);
    unsigned cpu = (unsigned)index;
    if (mon_has(c, "cpu-index") && (index < 0 || !c->m || index >= c->m->ncpus))
        return err_set(e, EINVAL, "Parameter 'cpu-index' expects a CPU number");
    mon_hmp_line(c->set, mon_str(c, "command-line"), &t, &cpu, c->fe, NULL);
    for (size_t i = 0; i < t.len; i++) { /* as a terminal would get it */
        if (t.buf[i] == '\n' && (!i || t.buf[i - 1] != '\r')) mon_put(&crlf, "\r", 1);
        mon_put(&crlf, t.buf + i, 1);
    }
    c->ret = json_object_new_string_len(crlf.len ? crlf.buf : "", (int)crlf.len);
    free(t.buf);
    free(crlf.buf);
    return 0;
}

static int cmd_cpu(struct mon_call *c, struct err *e)
{
    int64_t n = mon_int(c, "index", 0);
    if (!c->m || n < 0 || n >= c->m->ncpus || !c->cpu) {
        mon_out(c, "invalid CPU index\n");
        return 0;
    }
    *c->cpu = (unsigned)n;
    return 0;
}

/* --- logs ---------------------------------------------------------------------------------------------------------------------- */

static int cmd_log(struct mon_call *c, struct err *e)
{
    const char *items = mon_str(c, "items"), *name, *help;
    unsigned mask = 0;
    if (strcmp(items, "none") && (!strcmp(items, "help") || log_parse(items, &mask, e))) {
        mon_out(c, "Log items (comma separated):\n%-15s remove all logs\n", "none");
        for (unsigned i = 0; !log_item(i, &name, &help); i++) mon_out(c, "%-15s %s\n", name, help);
        return 0;
    }
    __atomic_store_n(&log_mask, mask, __ATOMIC_RELAXED); /* CPUs look when they next translate */
    return 0;
}

static int cmd_logfile(struct mon_call *c, struct err *e)
{
    return log_open(mon_str(c, "filename"), e);
}

static int cmd_trace(struct mon_call *c, struct err *e)
{
    char pattern[256];
    snprintf(pattern, sizeof pattern, "%s%s", mon_bool(c, "option", false) ? "" : "-", mon_str(c, "name"));
    return dev_trace_enable(pattern, e);
}

/* --- descriptors ----------------------------------------------------------------------------------------------------------------- */

static int cmd_getfd(struct mon_call *c, struct err *e)
{
    const char *name = mon_str(c, "fdname");
    int fd;
    if (!chr_take_fds(c->fe, &fd, 1)) return err_set(e, EINVAL, "No file descriptor supplied via SCM_RIGHTS");
    if ((*name >= '0' && *name <= '9') || !*name) {
        close(fd);
        return err_set(e, EINVAL, "Parameter 'fdname' expects a name not starting with a digit");
    }
    if (mon_store_fd(c->set, name, fd)) {
        close(fd);
        return err_set(e, ENOSPC, "too many descriptors, or the name is too long");
    }
    return 0;
}

static int cmd_closefd(struct mon_call *c, struct err *e)
{
    int fd = mon_take_fd(c->set, mon_str(c, "fdname"));
    if (fd < 0) return err_set(e, ENOENT, "File descriptor named '%.60s' not found", mon_str(c, "fdname"));
    close(fd);
    return 0;
}

static const struct mon_cmd cmds[] = {
    BOTH("stop", "", cmd_stop, "stop emulation", .alias = "s"),
    BOTH("cont", "", cmd_cont, "resume emulation", .alias = "c"),
    BOTH("quit", "", cmd_quit, "quit the emulator", .alias = "q"),
    BOTH("system_reset", "", cmd_reset, "reset the system"),
    BOTH("system_powerdown", "", cmd_powerdown, "send system power down event"),
    BOTH("system_wakeup", "", cmd_wakeup, "wakeup guest from suspend"),
    QMP("watchdog-set-action", "action:s", cmd_watchdog),
    HMP("watchdog_action", "action:s", cmd_watchdog, "change what happens when the guest's watchdog fires"),
    QMP("inject-nmi", "", cmd_nmi),
    HMP("nmi", "", cmd_nmi, "inject an NMI"),
    QMP("human-monitor-command", "command-line:s,cpu-index?:n", cmd_hmp, .ret = "str"),
    HMP("cpu", "index:n", cmd_cpu, "set the default CPU"),
    HMP("log", "items:s", cmd_log, "activate logging of the specified items", .show = "item1[,...]"),
    HMP("logfile", "filename:s", cmd_logfile, "output logs to 'filename'"),
    HMP("trace-event", "name:s,option:b", cmd_trace, "changes status of a specific trace event", .show = "name on|off"),
    BOTH("getfd", "fdname:s", cmd_getfd, "receive a file descriptor via SCM rights and assign it a name"),
    BOTH("closefd", "fdname:s", cmd_closefd, "close a file descriptor previously passed via SCM rights"),
};
const struct mon_table core_mon = { MON_TABLE(cmds) };
