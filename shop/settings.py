"""One settings file, driven by the environment. A production start refuses to run without its secrets."""

from pathlib import Path
from urllib.parse import urlparse

import dj_database_url
from csp.constants import NONCE, NONE, SELF
from kombu import Queue

from shop.env import env, parse_currency_code, parse_mail_url, parse_redis_url, read_required
from shop.schedule import RECONCILE_SECONDS, SCHEDULE

BASE_DIR = Path(__file__).resolve().parent.parent

# -- Who and where -----------------------------------------------------------------------------------------

DEBUG = False
SECRET_KEY = read_required("SECRET_KEY", why="a long random string; it signs sessions and mail links")
# Seals the addresses that refuse mail and whose owners were erased. Must stay when SECRET_KEY changes.
ADDRESS_HASH_KEY = env.str("ADDRESS_HASH_KEY", "") or SECRET_KEY
# Seals the consent ledger and the journal, and never meets the database. Must stay when SECRET_KEY changes.
LEDGER_KEY = env.str("LEDGER_KEY", "") or SECRET_KEY
SECRET_KEY_FALLBACKS: list[str] = env.list("SECRET_KEY_FALLBACKS", [])
SITE_URL = read_required("SITE_URL", why="the shop's public address, such as https://shop.example").rstrip("/")
ALLOWED_HOSTS = env.list("ALLOWED_HOSTS", [urlparse(SITE_URL).hostname])
TRUSTED_PROXIES = env.int("TRUSTED_PROXIES", 0)  # how many proxies of ours stand in front
IS_HTTPS = SITE_URL.startswith("https://")
CSRF_TRUSTED_ORIGINS = [SITE_URL]

ROOT_URLCONF = "shop.urls"
WSGI_APPLICATION = "shop.wsgi.application"

INSTALLED_APPS = [
    "shop.backoffice.apps.BackofficeAdminConfig",
    "shop.backoffice",
    "shop.storefront",
    "notifications",
    "recommendations",
    "orders",
    "accounts",
    "shop.catalog",
    "shop.retrying",
    "django.contrib.auth",
    "django.contrib.contenttypes",
    "django.contrib.humanize",
    "django.contrib.messages",
    "django.contrib.postgres",
    "django.contrib.sessions",
    "django.contrib.staticfiles",
    "django.forms",  # its widget templates, for FORM_RENDERER
    "allauth",
    "allauth.account",
    "allauth.mfa",
    "allauth.usersessions",
    "csp",
    "django_countries",
    "django_htmx",
    "pgtrigger",
]

MIDDLEWARE = [
    "django.middleware.security.SecurityMiddleware",
    "shop.storefront.middleware.PatienceMiddleware",
    "csp.middleware.CSPMiddleware",
    "shop.storefront.middleware.SecurityHeadersMiddleware",
    "whitenoise.middleware.WhiteNoiseMiddleware",
    "django.middleware.gzip.GZipMiddleware",
    "django.contrib.sessions.middleware.SessionMiddleware",
    "django.middleware.common.CommonMiddleware",
    "django.middleware.csrf.CsrfViewMiddleware",
    "django.contrib.auth.middleware.AuthenticationMiddleware",
    "allauth.account.middleware.AccountMiddleware",
    "django.contrib.messages.middleware.MessageMiddleware",
    "accounts.people.staff_sessions.StaffSessionMiddleware",
    "django.middleware.clickjacking.XFrameOptionsMiddleware",
    "django_htmx.middleware.HtmxMiddleware",
    "shop.storefront.middleware.PlainTextMiddleware",
    "shop.storefront.middleware.DestinationMiddleware",
]

TEMPLATES = [
    {
        "BACKEND": "django.template.backends.django.DjangoTemplates",
        "DIRS": [BASE_DIR / "templates"],
        "APP_DIRS": True,
        "OPTIONS": {
            "context_processors": [
                "django.template.context_processors.request",
                "django.contrib.auth.context_processors.auth",
                "django.contrib.messages.context_processors.messages",
                "csp.context_processors.nonce",
                "shop.storefront.context.shop",
            ],
            "builtins": ["shop.storefront.templatetags.say"],
        },
    }
]
FORM_RENDERER = "shop.form_renderer.WritingFormRenderer"

# -- Data --------------------------------------------------------------------------------------------------

DATABASES = {
    "default": dj_database_url.parse(
        read_required("DATABASE_URL", why="postgresql://user:password@host/name"),
        conn_max_age=600,  # seconds; as long, too, as the statements that a connection has prepared
        conn_health_checks=True,
    )
}
DATABASES["default"].setdefault("OPTIONS", {}).setdefault("connect_timeout", 3)  # seconds; then it counts as away
DATABASES["default"]["OPTIONS"]["options"] = "-c lock_timeout=10s -c statement_timeout=60s"
# Off behind a pooler that gives each transaction another connection: see docs/adr/0048-prepared-statements.md.
PREPARED_STATEMENTS = env.bool("PREPARED_STATEMENTS", True)
# Daily checkpoints of the consent ledger: a folder that whoever runs the database cannot write to.
CHECKPOINT_FOLDER = env.str("CHECKPOINT_FOLDER", str(BASE_DIR / "checkpoints"))
DEFAULT_AUTO_FIELD = "django.db.models.BigAutoField"
_redis = parse_redis_url(read_required("REDIS_URL", why="redis://host:6379 or unix:///path/to/socket"))
CACHES = {
    "default": {
        "BACKEND": "shop.cache.ForgivingRedisCache",
        "LOCATION": _redis["cache"],
        "OPTIONS": {"socket_connect_timeout": 0.5, "socket_timeout": 0.5},
    }
}

MEDIA_ROOT = Path(env.str("MEDIA_ROOT", str(BASE_DIR / "media")))
MEDIA_URL = "/media/"
PRIVATE_ROOT = Path(env.str("PRIVATE_ROOT", str(BASE_DIR / "private")))  # served by nobody but an authorising view
# Ids of erasures and withdrawn consents, for `after_restore`; keep it on another disk than the database.
JOURNAL_PATH = Path(env.str("JOURNAL_PATH", str(BASE_DIR / "journal")))
STATIC_URL = "/static/"
STATIC_ROOT = Path(env.str("STATIC_ROOT", str(BASE_DIR / "staticfiles")))
STATICFILES_DIRS = [BASE_DIR / "static"]
STORAGES = {
    "default": {"BACKEND": env.str("MEDIA_STORAGE", "shop.file_storage.DurableFileStorage")},
    "private": {
        "BACKEND": env.str("PRIVATE_STORAGE", "shop.file_storage.DurableFileStorage"),
        "OPTIONS": {
            "location": PRIVATE_ROOT,
            "file_permissions_mode": 0o600,
            "directory_permissions_mode": 0o700,
            "base_url": None,
        },
    },
    "staticfiles": {"BACKEND": env.str("STATIC_STORAGE", "shop.style_sheets.JoinedSheetsStorage")},
}

# -- Words, time, money ------------------------------------------------------------------------------------

LANGUAGE_CODE = "en-gb"
TIME_ZONE = env.str("TIME_ZONE", "Europe/London")
USE_TZ = True
CURRENCY = parse_currency_code(env.str("CURRENCY", "GBP"))  # of every price; a start refuses goods priced in another
COUNTRY = "GB"  # where an address is, unless somebody says otherwise

# -- People ------------------------------------------------------------------------------------------------

AUTH_USER_MODEL = "accounts.User"
AUTHENTICATION_BACKENDS = ["accounts.backends.CustomerBackend"]
PASSWORD_HASHERS = [
    "django.contrib.auth.hashers.ScryptPasswordHasher",
    "django.contrib.auth.hashers.PBKDF2PasswordHasher",
]
AUTH_PASSWORD_VALIDATORS = [
    {"NAME": "django.contrib.auth.password_validation.UserAttributeSimilarityValidator"},
    {"NAME": "django.contrib.auth.password_validation.MinimumLengthValidator", "OPTIONS": {"min_length": 10}},
    {"NAME": "accounts.people.password_list.BreachedPasswordValidator"},
]
LOGIN_REDIRECT_URL = "/account/"
LOGIN_URL = "account_login"
REQUIRE_STAFF_MFA = env.bool("REQUIRE_STAFF_MFA", True)
STAFF_IDLE_SECONDS = env.int("STAFF_IDLE_SECONDS", 30 * 60)  # without a click
STAFF_SESSION_SECONDS = env.int("STAFF_SESSION_SECONDS", 10 * 3600)  # a working day

ACCOUNT_ADAPTER = "accounts.people.adapter.AccountAdapter"
ACCOUNT_FORMS = {
    "login": "accounts.people.forms.LoginForm",
    "signup": "accounts.people.forms.SignupForm",
    "add_email": "accounts.people.forms.AddEmailForm",
    "reset_password": "accounts.people.forms.ResetPasswordForm",
    "reset_password_from_key": "accounts.people.forms.ResetPasswordKeyForm",
    "change_password": "accounts.people.forms.ChangePasswordForm",
    "reauthenticate": "accounts.people.forms.ReauthenticateForm",
}
ACCOUNT_LOGIN_METHODS = {"email"}
ACCOUNT_SIGNUP_FIELDS = ["email*", "password1*"]
ACCOUNT_USER_MODEL_USERNAME_FIELD = None
ACCOUNT_EMAIL_VERIFICATION = "mandatory"  # so whoever is logged in has proved their address
ACCOUNT_LOGIN_ON_EMAIL_CONFIRMATION = True
ACCOUNT_EMAIL_SUBJECT_PREFIX = ""
ACCOUNT_PREVENT_ENUMERATION = True
ACCOUNT_CHANGE_EMAIL = True
ACCOUNT_EMAIL_NOTIFICATIONS = True
ACCOUNT_RATE_LIMITS = {  # beside allauth's own; the key is the address
    "fresh_link": "20/m/ip,3/m/key,10/h/key",
    "confirm_email": "3/3m/key,10/h/key",
}
ALLAUTH_TRUSTED_PROXY_COUNT = TRUSTED_PROXIES
ACCOUNT_REAUTHENTICATION_REQUIRED = True  # before anything that changes what opens an account
ACCOUNT_REAUTHENTICATION_TIMEOUT = 5 * 60  # seconds since the sign-in
ACCOUNT_SESSION_REMEMBER = True
ACCOUNT_LOGOUT_ON_GET = False
ACCOUNT_DEFAULT_HTTP_PROTOCOL = "https" if IS_HTTPS else "http"
MFA_SUPPORTED_TYPES = ["totp", "recovery_codes", "webauthn"]
MFA_PASSKEY_LOGIN_ENABLED = True
MFA_WEBAUTHN_ALLOW_INSECURE_ORIGIN = not IS_HTTPS

# -- Cookies and headers (promises: security) --------------------------------------------------------------

_prefix = "__Host-" if IS_HTTPS else ""
SESSION_COOKIE_NAME = f"{_prefix}session"
CSRF_COOKIE_NAME = f"{_prefix}csrf"
DEVICE_COOKIE_NAME = f"{_prefix}device"  # of a browser somebody signed in with: see accounts.devices
LANGUAGE_COOKIE_NAME = f"{_prefix}language"
SESSION_COOKIE_SECURE = CSRF_COOKIE_SECURE = IS_HTTPS
SESSION_COOKIE_HTTPONLY = CSRF_COOKIE_HTTPONLY = True
SESSION_COOKIE_SAMESITE = CSRF_COOKIE_SAMESITE = "Lax"
SECURE_SSL_REDIRECT = IS_HTTPS
SECURE_REDIRECT_EXEMPT = [r"^healthz$", r"^readyz$"]
SECURE_HSTS_SECONDS = 63_072_000 if IS_HTTPS else 0
SECURE_HSTS_INCLUDE_SUBDOMAINS = SECURE_HSTS_PRELOAD = IS_HTTPS
SECURE_REFERRER_POLICY = "same-origin"
SECURE_CROSS_ORIGIN_OPENER_POLICY = "same-origin"
if TRUSTED_PROXIES:
    SECURE_PROXY_SSL_HEADER = ("HTTP_X_FORWARDED_PROTO", "https")
X_FRAME_OPTIONS = "DENY"

STRIPE_CHECKOUT_ORIGIN = env.str("STRIPE_CHECKOUT_ORIGIN", "https://checkout.stripe.com")
CONTENT_SECURITY_POLICY = {
    "DIRECTIVES": {
        "default-src": [NONE],
        "script-src": [SELF, NONCE],
        "style-src": [SELF],
        "img-src": [SELF, "data:"],
        "font-src": [SELF],
        "connect-src": [SELF],
        "manifest-src": [SELF],
        "base-uri": [NONE],
        "frame-ancestors": [NONE],
        "form-action": [SELF, STRIPE_CHECKOUT_ORIGIN],
    }
}

# -- The outside world -------------------------------------------------------------------------------------

EMAIL_TIMEOUT = 20  # seconds; promised: never over 30
globals().update(parse_mail_url(read_required("EMAIL_URL", why="smtp://user:password@host:port")))
DEFAULT_FROM_EMAIL = read_required("DEFAULT_FROM_EMAIL", why='such as "Say When <shop@shop.example>"')
SERVER_EMAIL = DEFAULT_FROM_EMAIL

STRIPE_SECRET_KEY = read_required("STRIPE_SECRET_KEY", why="from the Stripe dashboard")
# Several, comma-separated, while one is rotated.
STRIPE_WEBHOOK_SECRETS: list[str] = env.list("STRIPE_WEBHOOK_SECRET", [])
if not STRIPE_WEBHOOK_SECRETS:
    read_required("STRIPE_WEBHOOK_SECRET", why="from the Stripe dashboard, webhook endpoint /webhooks/stripe/")
# As for Stripe: several, comma-separated, while one is rotated.
CARRIER_WEBHOOK_SECRETS: list[str] = env.list("CARRIER_WEBHOOK_SECRET", [])
if not CARRIER_WEBHOOK_SECRETS:
    read_required("CARRIER_WEBHOOK_SECRET", why="a long random string; carriers sign with it, see docs/carriers.md")
# Unset: nobody is asked to follow parcels; scans still come from whoever signs with the secret.
EASYPOST_API_KEY = env.str("EASYPOST_API_KEY", "")
EASYPOST_API_BASE = env.str("EASYPOST_API_BASE", "https://api.easypost.com")
STRIPE_API_BASE = env.str("STRIPE_API_BASE", "https://api.stripe.com")
STRIPE_TIMEOUT_SECONDS = env.int("STRIPE_TIMEOUT_SECONDS", 10)
# The most a request waits for all it asks of Stripe or a mail server; what takes longer goes on in the background.
PATIENCE_SECONDS = env.float("PATIENCE_SECONDS", 2.0)

DATA_COMPLAINTS_PER_MINUTE = env.int("DATA_COMPLAINTS_PER_MINUTE", 5)  # sent from one address
WITHDRAWALS_PER_MINUTE = env.int("WITHDRAWALS_PER_MINUTE", 20)  # declared from one address
CHECKOUTS_PER_MINUTE = env.int("CHECKOUTS_PER_MINUTE", 600)  # of one address: an office, not a flood
PAYMENT_HOLD_SECONDS = env.int("PAYMENT_HOLD_SECONDS", 45 * 60)
# The most a background item waits before its second attempt; each pause after that is twice as long.
RETRY_SECONDS = env.int("RETRY_SECONDS", min(60, RECONCILE_SECONDS))
MAIL_RETRY_SECONDS = env.int("MAIL_RETRY_SECONDS", 60)
MAIL_LEASE_SECONDS = env.int("MAIL_LEASE_SECONDS", 45)

# -- Background work ---------------------------------------------------------------------------------------

CELERY_BROKER_URL = _redis["broker"]
CELERY_BROKER_CONNECTION_RETRY_ON_STARTUP = True
CELERY_BROKER_TRANSPORT_OPTIONS = {"visibility_timeout": 3600}
CELERY_TASK_IGNORE_RESULT = True
CELERY_TASK_ACKS_LATE = True
CELERY_TASK_REJECT_ON_WORKER_LOST = True
CELERY_WORKER_PREFETCH_MULTIPLIER = 1
CELERY_TASK_TIME_LIMIT = 1800
CELERY_TASK_DEFAULT_QUEUE = "work"
CELERY_TASK_QUEUES = [Queue("work"), Queue("ticks")]  # so that a plain `celery -A shop worker` serves both
CELERY_WORKER_HIJACK_ROOT_LOGGER = False
CELERY_TIMEZONE = TIME_ZONE
CELERY_BEAT_SCHEDULE = SCHEDULE
CELERY_BEAT_SCHEDULE_FILENAME = env.str("CELERY_BEAT_SCHEDULE_FILENAME", "celerybeat-schedule")

# -- Logs --------------------------------------------------------------------------------------------------

LOGGING = {
    "version": 1,
    "disable_existing_loggers": False,
    "formatters": {"plain": {"format": "%(asctime)s %(levelname)s %(name)s %(message)s"}},
    "handlers": {"stderr": {"class": "logging.StreamHandler", "formatter": "plain"}},
    "root": {"handlers": ["stderr"], "level": env.str("LOG_LEVEL", "INFO")},
    "loggers": {
        "celery": {"level": "WARNING"},  # it would write two lines for every tick
        "kombu": {"level": "WARNING"},
        "stripe": {"level": "WARNING"},  # one for every request and answer
    },
}
