"""Where the fields of the engine's objects lie in memory, and how they are read and written there.

Included by `quick.pyx`. Each place is asked of its class once, at import, so a field that moves is
found, and one that is no plain field any more stops the import.
"""

cdef extern from *:
    """
    #include <structmember.h>
    static Py_ssize_t place_of(PyObject *cls, const char *name) {
        PyObject *descriptor = PyObject_GetAttrString(cls, name);
        Py_ssize_t place = -1;
        if (descriptor == NULL) return -1;
        if (Py_IS_TYPE(descriptor, &PyMemberDescr_Type)
                && ((PyMemberDescrObject *)descriptor)->d_member->type == T_OBJECT_EX)
            place = ((PyMemberDescrObject *)descriptor)->d_member->offset;
        else
            PyErr_Format(PyExc_ImportError, "%s is no plain field", name);
        Py_DECREF(descriptor);
        return place;
    }
    """
    Py_ssize_t place_of(object cls, const char *name) except -1

# ── Where fields lie ────────────────────────────────────────────────────────────────────────────

cdef Py_ssize_t TERMS_ID = place_of(HeldOrder, "order_id")
cdef Py_ssize_t TERMS_VERSION = place_of(HeldOrder, "version")
cdef Py_ssize_t TERMS_ACCOUNT = place_of(HeldOrder, "account")
cdef Py_ssize_t TERMS_CLIENT_ID = place_of(HeldOrder, "client_id")
cdef Py_ssize_t TERMS_SIDE = place_of(HeldOrder, "side")
cdef Py_ssize_t TERMS_KIND = place_of(HeldOrder, "kind")
cdef Py_ssize_t TERMS_TIME_IN_FORCE = place_of(HeldOrder, "time_in_force")
cdef Py_ssize_t TERMS_POST_ONLY = place_of(HeldOrder, "post_only")
cdef Py_ssize_t TERMS_PRICE = place_of(HeldOrder, "price_ticks")
cdef Py_ssize_t TERMS_LOTS = place_of(HeldOrder, "lots")
cdef Py_ssize_t TERMS_BUDGET = place_of(HeldOrder, "budget")
cdef Py_ssize_t TERMS_DEADLINE = place_of(HeldOrder, "deadline_ns")

cdef Py_ssize_t CANCEL_REQUEST = place_of(CancelOrders, "request")
cdef Py_ssize_t CANCEL_ACCOUNT = place_of(CancelOrders, "account")
cdef Py_ssize_t CANCEL_ORDER_ID = place_of(CancelOrders, "order_id")
cdef Py_ssize_t CANCEL_CLIENT_ID = place_of(CancelOrders, "client_id")
cdef Py_ssize_t CANCEL_DEADLINE = place_of(CancelOrders, "deadline_ns")

cdef Py_ssize_t ORDER_TERMS = place_of(Order, "terms")
cdef Py_ssize_t ORDER_OPEN = place_of(Order, "open_lots")
cdef Py_ssize_t ORDER_FILLED = place_of(Order, "filled_lots")
cdef Py_ssize_t ORDER_QUOTE = place_of(Order, "cum_quote")
cdef Py_ssize_t ORDER_LEVEL = place_of(Order, "level")
cdef Py_ssize_t ORDER_OLDER = place_of(Order, "older")
cdef Py_ssize_t ORDER_NEWER = place_of(Order, "newer")
cdef Py_ssize_t ORDER_EXTRAS = place_of(Order, "extras")
cdef Py_ssize_t ORDER_OTHER = place_of(Order, "other")

cdef Py_ssize_t LEVEL_KEY = place_of(Level, "key")
cdef Py_ssize_t LEVEL_FIRST = place_of(Level, "first")
cdef Py_ssize_t LEVEL_LAST = place_of(Level, "last")
cdef Py_ssize_t LEVEL_LOTS = place_of(Level, "lots")

cdef Py_ssize_t HALF_TOP = place_of(HalfBook, "top")
cdef Py_ssize_t HALF_LEVELS = place_of(HalfBook, "levels")

cdef Py_ssize_t BOOK_TRADES = place_of(Book, "trades")

cdef Py_ssize_t GATE_LOW = place_of(Gate, "low")
cdef Py_ssize_t GATE_HIGH = place_of(Gate, "high")
cdef Py_ssize_t GATE_MIN_LOTS = place_of(Gate, "min_lots")
cdef Py_ssize_t GATE_MAX_LOTS = place_of(Gate, "max_lots")
cdef Py_ssize_t GATE_ORDERS_PER_ACCOUNT = place_of(Gate, "orders_per_account")
cdef Py_ssize_t GATE_ORDERS_PER_BOOK = place_of(Gate, "orders_per_book")

cdef Py_ssize_t TURN_SEQ = place_of(Turn, "seq")


cdef inline object get(object owner, Py_ssize_t place):
    """Return what stands in a field."""
    return <object>((<PyObject **>(<char *><PyObject *>owner + place))[0])


cdef inline void put(object owner, Py_ssize_t place, object value) noexcept:
    """Let something stand in a field."""
    cdef PyObject **field = <PyObject **>(<char *><PyObject *>owner + place)
    cdef PyObject *before = field[0]
    Py_INCREF(value)
    field[0] = <PyObject *>value
    Py_XDECREF(before)


cdef inline long long number_in(object owner, Py_ssize_t place) except? -1:
    """Return the integer in a field."""
    return PyLong_AsLongLong(<object>((<PyObject **>(<char *><PyObject *>owner + place))[0]))
