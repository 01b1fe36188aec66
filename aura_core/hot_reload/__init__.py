"""Hot reload: an edited plan is used by the next run; a broken edit leaves the last good version (issue 4)."""

from aura_core.hot_reload.events import PlanEditRefused, PlanNotice, PlansReloaded, ReloadReport, notice_of
from aura_core.hot_reload.reloader import Reloader

__all__ = ["PlanEditRefused", "PlanNotice", "PlansReloaded", "ReloadReport", "Reloader", "notice_of"]
