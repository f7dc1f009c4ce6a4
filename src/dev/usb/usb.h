/*
 * usb.h: USB (floor 4): devices, ports, packets; nothing of any host controller. USB 2.0 and 3.2, chapters 8 to 11.
 *
 * A device's struct begins with `struct usb_dev`; it plugs into a bus of type "usb-bus" at a port: a controller's or a hub's. What it is
 * are tables (struct usb_desc); standard requests are answered here, once for all. Its `data` gets packets of the other endpoints: it
 * answers each at once, or says USB_NAK, and usb_ready when the answer could be another one. So no device holds a packet.
 *
 * A controller gives packets to usb_submit: what was not answered waits here and ends with `done` (from the loop, never inside of
 * usb_submit), unless usb_cancel takes it back. A packet's memory is a list of guest addresses; usb_put and usb_get copy, within bounds.
 */
#ifndef LYRE_DEV_USB_USB_H
#define LYRE_DEV_USB_USB_H

#include <linux/usb/ch9.h>
#include "dev/device.h"

enum usb_speed { USB_LOW, USB_FULL, USB_HIGH, USB_SUPER, USB_SPEEDS };
enum { USB_SPEEDS_2 = 1 << USB_LOW | 1 << USB_FULL | 1 << USB_HIGH, USB_SPEEDS_1 = 1 << USB_LOW | 1 << USB_FULL, USB_SPEEDS_3 = 1 << USB_SUPER };
enum usb_pid { USB_SETUP, USB_IN, USB_OUT };
/* How a packet ended. NODEV: no handshake came; BUFFER: the guest's memory is none. */
enum usb_status { USB_OK, USB_NAK, USB_STALL, USB_NODEV, USB_BABBLE, USB_BUFFER };
enum { USB_IFACES = 4, USB_CONTROL_MAX = 4096, USB_TIERS = 5, USB_HUB_PORTS = 15 };

struct usb_dev;
struct usb_bus;

/* --- packets --------------------------------------------------------------------------------------------------------------- */

struct usb_sg {
    uint64_t addr;
    uint32_t len;
};
struct usb_packet {
    struct usb_dev *dev;
    uint8_t pid, ep;             /* enum usb_pid; number of the endpoint, 0 to 15 */
    uint8_t status;
    bool once;                   /* a controller that polls: USB_NAK is an answer, nothing waits */
    bool waiting, fault;
    uint16_t stream;
    uint32_t len, actual;        /* bytes; actual: how many were moved. A packet may begin with some (an earlier attempt's) */
    const struct dma *dma;
    const struct usb_sg *sg;
    unsigned nsg;
    void (*done)(struct usb_packet *p);
    struct usb_packet *next;     /* the core's, as what follows */
    uint32_t round;
};
/* For devices: copies to (IN) or from (OUT) the guest at p->actual, which moves on; at most what is left of it. How many bytes. */
uint32_t usb_put(struct usb_packet *p, const void *buf, uint32_t n);
uint32_t usb_get(struct usb_packet *p, void *buf, uint32_t n);
static inline uint32_t usb_left(const struct usb_packet *p) { return p->len - p->actual; }
/* For controllers. USB_NAK: it waits (or `once`). */
enum usb_status usb_submit(struct usb_packet *p);
void usb_cancel(struct usb_packet *p);

/* --- descriptors ----------------------------------------------------------------------------------------------------------- */

struct usb_endpoint {
    uint8_t address, attr, interval;
    uint16_t packet;
    uint8_t burst, ss_attr;      /* SuperSpeed companion: packets in a burst - 1; log2 of streams */
    uint16_t ss_bytes;           /* per service interval */
    const uint8_t *extra;        /* descriptors behind it */
    uint8_t nextra;
};
struct usb_interface {
    uint8_t number, alt, class, subclass, protocol, string, neps;
    const struct usb_endpoint *eps;
    const uint8_t *extra;        /* class descriptors, between it and its endpoints */
    uint8_t nextra;
};
struct usb_config {
    uint8_t value, attr, power, nifs; /* power: bMaxPower of USB 2; nifs: rows */
    const struct usb_interface *ifs;  /* with all their alternate settings */
};
/* One device at one speed. */
struct usb_variant {
    uint16_t bcd;                /* 0x0200: USB 2.0 */
    uint8_t packet0;             /* as the field has it: 9 means 512 at super speed */
    uint8_t nconfigs;
    const struct usb_config *configs;
};
enum { USB_STR_MANUFACTURER = 1, USB_STR_PRODUCT, USB_STR_SERIAL, USB_STR_MORE };
struct usb_desc {
    uint16_t vendor, product, release;
    uint8_t class, subclass, protocol;
    const char *manufacturer, *name, *serial; /* serial: what the default begins with */
    const char *const *strings;  /* from USB_STR_MORE on, ended by NULL; NULL: none */
    const struct usb_variant *at[USB_SPEEDS];
};

/* --- devices --------------------------------------------------------------------------------------------------------------- */

struct usb_setup {
    uint8_t type, request;
    uint16_t value, index, length;
};
enum { USB_TO_DEVICE, USB_TO_INTERFACE, USB_TO_ENDPOINT, USB_TO_OTHER };
/* type and request in one number, for switch */
#define USB_REQ(type, request) ((unsigned)(type) << 8 | (request))

struct usb_class {
    void (*reset)(struct usb_dev *d);              /* of the bus; also when the machine is reset */
    /* Class and vendor requests, and standard ones that the core does not know (HID's descriptors). buf: setup->length bytes came, or may
     * be written. How many bytes go back, or -1: stall. NULL: stall. */
    int (*control)(struct usb_dev *d, const struct usb_setup *s, uint8_t *buf);
    enum usb_status (*data)(struct usb_dev *d, struct usb_packet *p);
    void (*configured)(struct usb_dev *d);         /* SET_CONFIGURATION, d->configuration is the new one; may be NULL, as what follows */
    void (*alt_set)(struct usb_dev *d, unsigned iface);
    void (*unhalted)(struct usb_dev *d, uint8_t ep);
};

struct usb_port {
    struct usb_port *next;
    struct usb_bus *bus;
    struct usb_dev *dev;         /* plugged in; seen from outside while `attached` */
    struct usb_dev *hub;         /* whose it is, NULL: a root port */
    uint8_t number;              /* on its hub or controller, from 1 */
    uint8_t speeds;
    char path[24];               /* "1.2": port 2 of the hub at root port 1 */
    const struct usb_port_ops *ops;
    void *ctx;
};
/* What a port's owner does. The device is there (attach), about to go (detach: no packet of it may wait after it), asks to be resumed. */
struct usb_port_ops {
    void (*attach)(struct usb_port *p);
    void (*detach)(struct usb_port *p);
    void (*wakeup)(struct usb_port *p);
    bool (*enabled)(const struct usb_port *p);
    /* A device below this root port, itself or behind hubs, is about to go: nobody may keep it. */
    void (*forget)(struct usb_port *root, struct usb_dev *d);
};
struct usb_bus {
    struct bus *bus;
    struct usb_port *ports;      /* all, the hubs' too */
    char where[40];              /* of the controller, for serial numbers: "0000:00:02.0" */
};

/* A control transfer under way. */
struct usb_control {
    uint8_t stage;
    bool ran;
    struct usb_setup s;
    uint32_t len, at;
    uint8_t buf[USB_CONTROL_MAX];
};
struct usb_dev {
    struct dev dev;
    char *p_port, *p_serial;
    bool p_msos;
    const struct usb_desc *desc;
    const struct usb_class *ops;
    struct usb_port *port;
    struct usb_port *ports;      /* of hubs */
    unsigned nports;
    bool attached;
    uint8_t speed, address, configuration, alt[USB_IFACES];
    uint8_t remote_wakeup;
    uint32_t halted;             /* bit n: OUT endpoint n, 16 + n: IN */
    struct usb_control ctl;
    char serial[96];
    const char *own_string;      /* string USB_STR_MORE, if it is the instance's; NULL: of the tables */
    struct usb_packet *waiting;
    uint32_t ready, round;
    struct deferred wake;
};
#define USB_PROPS \
    { .name = "port", .help = "\"2\", or \"1.2\" behind a hub (default: the first that is free)", .type = PROP_T_STR, \
      .field = offsetof(struct usb_dev, p_port) }, \
    { .name = "serial", .type = PROP_T_STR, .field = offsetof(struct usb_dev, p_serial) }, \
    { .name = "msos-desc", .help = "ignored: there are no Microsoft OS descriptors", .type = PROP_T_BOOL, .field = offsetof(struct usb_dev, p_msos), \
      .def = 1 }
#define USB_STATE_FIELD(m, hi) { .name = #m, .type = STATE_T_INT, .field = offsetof(struct usb_dev, m), .size = sizeof(((struct usb_dev *)0)->m), .max = hi }
#define USB_STATE \
    USB_STATE_FIELD(address, 127), USB_STATE_FIELD(configuration, 255), \
    { .name = "alt", .type = STATE_T_BYTES, .field = offsetof(struct usb_dev, alt), .size = USB_IFACES }, USB_STATE_FIELD(remote_wakeup, 1), \
    USB_STATE_FIELD(halted, UINT32_MAX), USB_STATE_FIELD(ctl.stage, 3), USB_STATE_FIELD(ctl.ran, 1), USB_STATE_FIELD(ctl.s.type, 255), \
    USB_STATE_FIELD(ctl.s.request, 255), USB_STATE_FIELD(ctl.s.value, 65535), USB_STATE_FIELD(ctl.s.index, 65535), \
    USB_STATE_FIELD(ctl.s.length, 65535), USB_STATE_FIELD(ctl.len, USB_CONTROL_MAX), USB_STATE_FIELD(ctl.at, USB_CONTROL_MAX), \
    { .name = "ctl.buf", .type = STATE_T_BYTES, .field = offsetof(struct usb_dev, ctl.buf), .size = USB_CONTROL_MAX }

/* For devices: init, then what is their own, then attach. The class's reset and exit call usb_dev_reset and usb_exit. */
void usb_init(struct usb_dev *d, const struct usb_desc *desc, const struct usb_class *ops);
int usb_attach(struct usb_dev *d, struct err *e);
void usb_dev_reset(void *dev);
void usb_exit(void *dev);
int usb_loaded(void *dev, struct err *e);
/* An endpoint (address, with 0x80 for IN) that said USB_NAK may say something else now. */
void usb_ready(struct usb_dev *d, uint8_t ep);
/* The endpoint stalls from here on, until the host clears that. */
void usb_halt(struct usb_dev *d, uint8_t ep);
/* Something happened that a sleeping host wants to know. */
void usb_wakeup(struct usb_dev *d);
const struct usb_endpoint *usb_find_ep(const struct usb_dev *d, uint8_t ep);
/* desc.c: standard requests; as struct usb_class's control. */
int usb_standard(struct usb_dev *d, const struct usb_setup *s, uint8_t *buf);

/* --- buses and controllers ------------------------------------------------------------------------------------------------- */

void usb_bus_init(struct usb_bus *b, struct dev *hc, const char *where);
void usb_port_add(struct usb_bus *b, struct usb_port *p, struct usb_dev *hub, unsigned number, unsigned speeds, const struct usb_port_ops *ops, void *ctx);
void usb_port_remove(struct usb_port *p); /* a hub goes; what is plugged in hangs in the air */
/* The port was reset. */
void usb_reset(struct usb_dev *d);
/* A request without data, run at once: false: stalled. */
bool usb_request(struct usb_dev *d, uint8_t type, uint8_t request, uint16_t value, uint16_t index);
/* The device behind a port by xHCI's route string: 4 bits a hub, the nearest one lowest. NULL: nobody. */
struct usb_dev *usb_route(const struct usb_port *root, uint32_t route);
/* The device with that address behind an enabled port, for controllers that know no routes. */
struct usb_dev *usb_by_address(const struct usb_port *root, uint8_t address);
const char *usb_speed_name(unsigned speed); /* "480": Mb/s */

#endif
