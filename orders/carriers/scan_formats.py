"""Who may tell of parcels, by the last part of `/webhooks/carrier/<carrier>/`."""

from collections.abc import Mapping

from orders.carriers.base import ScanFormat
from orders.carriers.easypost import EasyPost
from orders.carriers.generic_format import GenericFormat

SCAN_FORMATS: Mapping[str, ScanFormat] = {"easypost": EasyPost(), "generic": GenericFormat()}
